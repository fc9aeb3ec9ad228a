//! A FIFO queue with a dead-letter queue, and Lambda's mapping of it, second by second.
//!
//! | rule | page of AWS's documentation |
//! | --- | --- |
//! | no message of a group is received while another of it is in flight | "FIFO queue delivery logic" (SQS Developer Guide) |
//! | a message received more often than `maxReceiveCount` goes to the dead-letter queue | "Using dead-letter queues in Amazon SQS" (SQS Developer Guide) |
//! | at most `MaximumConcurrency` batches at the same time; no more are received | "Configuring scaling behavior for SQS event source mappings" (Lambda Developer Guide) |
//! | a throttled message is retried while it is hidden, at growing intervals | "Handling errors for an SQS event source in Lambda" (Lambda Developer Guide) |

use std::collections::VecDeque;

/// The fate of a message whose delivery was throttled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Throttled {
    /// It is retried until its visibility ends: the documented behaviour.
    Retried,
    /// It is not retried until its visibility ends: the worst case by older documentation.
    NotRetried,
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Settings {
    pub(super) visibility_s: u64,
    pub(super) receives_max: u32,
    pub(super) concurrency_max: usize,
    pub(super) invocation_s: u64,
    pub(super) throttled: Throttled,
}

/// The longest interval between two tries of a throttled message.
const TRY_AGAIN_MAX_S: u64 = 60;

#[derive(Clone, Debug)]
struct Message {
    group: usize,
    receives: u32,
    state: State,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Waits,
    /// It is in flight and throttled.
    Hidden {
        until: u64,
        next_try: Option<u64>,
        pause: u64,
    },
    Runs {
        until: u64,
    },
}

pub(super) struct Mapping {
    settings: Settings,
    now: u64,
    messages: VecDeque<Message>,
    pub(super) sent: u64,
    pub(super) done: u64,
    pub(super) dead: u64,
    pub(super) throttles: u64,
    pub(super) running_max: usize,
}

impl Mapping {
    pub(super) fn new(settings: Settings) -> Self {
        let (now, sent, done, dead, throttles, running_max) = (0, 0, 0, 0, 0, 0);
        Self { settings, now, messages: VecDeque::new(), sent, done, dead, throttles, running_max }
    }

    pub(super) fn send(&mut self, group: usize) {
        self.sent += 1;
        self.messages.push_back(Message { group, receives: 0, state: State::Waits });
    }

    pub(super) fn waiting(&self) -> u64 {
        self.messages.len() as u64
    }

    /// How many messages of a group are in the queue.
    pub(super) fn of_group(&self, group: usize) -> usize {
        self.messages.iter().filter(|message| message.group == group).count()
    }

    /// Simulates a second in which the function may have this many executions.
    pub(super) fn second(&mut self, executions: usize) {
        let (now, before) = (self.now, self.messages.len());
        self.messages.retain(|message| !matches!(message.state, State::Runs { until } if until <= now));
        self.done += (before - self.messages.len()) as u64;
        for message in &mut self.messages {
            if matches!(message.state, State::Hidden { until, .. } if until <= now) {
                message.state = State::Waits;
            }
        }
        for index in 0..self.messages.len() {
            if matches!(self.messages[index].state, State::Hidden { next_try: Some(next), .. } if next <= now) {
                self.invoke(index, executions);
            }
        }
        self.receive(executions);
        self.running_max = self.running_max.max(self.running());
        self.now += 1;
    }

    fn running(&self) -> usize {
        self.messages.iter().filter(|message| matches!(message.state, State::Runs { .. })).count()
    }

    /// The batches that the mapping is processing.
    fn in_hand(&self) -> usize {
        let tried = |state| matches!(state, State::Runs { .. } | State::Hidden { next_try: Some(_), .. });
        self.messages.iter().filter(|message| tried(message.state)).count()
    }

    fn receive(&mut self, executions: usize) {
        while self.in_hand() < self.settings.concurrency_max {
            let first_free = (0..self.messages.len()).find(|index| {
                let message = &self.messages[*index];
                let before = self.messages.iter().take(*index);
                let alone =
                    self.messages.iter().all(|other| other.group != message.group || other.state == State::Waits);
                message.state == State::Waits && alone && before.clone().all(|other| other.group != message.group)
            });
            let Some(index) = first_free else { return };
            if self.messages[index].receives >= self.settings.receives_max {
                self.messages.remove(index);
                self.dead += 1;
                continue;
            }
            self.messages[index].receives += 1;
            let until = self.now + self.settings.visibility_s;
            self.messages[index].state = State::Hidden { until, next_try: Some(self.now), pause: 1 };
            self.invoke(index, executions);
        }
    }

    fn invoke(&mut self, index: usize, executions: usize) {
        let State::Hidden { until, pause, .. } = self.messages[index].state else { return };
        self.messages[index].state = if self.running() < executions {
            State::Runs { until: self.now + self.settings.invocation_s }
        } else {
            self.throttles += 1;
            let again = self.settings.throttled == Throttled::Retried;
            let next_try = again.then_some(self.now + pause);
            State::Hidden { until, next_try, pause: (pause * 2).min(TRY_AGAIN_MAX_S) }
        };
    }
}
