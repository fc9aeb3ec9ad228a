use std::sync::Arc;
use std::time::Instant;

use stoop_domain::Time;
use stoop_pipeline::{Clock, Search};
use stoop_rules::Rules;
use tokio::task::JoinSet;

use super::clock::{DemoClock, days};
use super::screen::Screen;
use crate::engine::Engine;
use crate::out::say;

/// Each of the last days is polled. A portal dates its changes, so that fewer polls give nearly the same past.
const DAILY_MS: i64 = 14 * Time::DAY_MS;
const WEEK_MS: i64 = 7 * Time::DAY_MS;

/// Full scans take most of the time. A home that none shows for 23 days would count as unconfirmed.
pub(super) const FULL_SCAN_EVERY_MS: i64 = 20 * Time::DAY_MS;

/// The first days of a demo: polled through before it begins, faster than it runs.
pub(super) struct Past<'a> {
    pub(super) engine: &'a Engine,
    pub(super) clock: &'a DemoClock,
    pub(super) searches: &'a [Arc<Search>],
    pub(super) screen: &'a Screen,
}

impl Past<'_> {
    /// Polls every search from where the clock stands until a time, and calls `shown` when there is something to show.
    /// What is stored when it is stopped is a past up to that moment, and the next demo goes on from there.
    pub(super) async fn fill(&self, until: Time, shown: impl FnOnce()) -> anyhow::Result<()> {
        let (began, moments) = (Instant::now(), moments(self.clock.now(), until));
        let days = days(moments[0], until);
        say!("Polling through {days} simulated days first, so that figures have a past ...");
        let mut intake = self.engine.intake(Rules::default(), |_| {});
        let mut shown = Some(shown);
        for at in &moments {
            self.screen.fill(moments[0], *at, until);
            self.clock.stand(*at);
            self.poll_all().await?;
            self.engine.drain(&mut intake).await?;
            if self.engine.stop.is_set() {
                return Ok(());
            }
            if let Some(shown) = shown.take() {
                shown();
            }
        }
        self.engine.roll_up();
        let took = crate::show::span(i64::try_from(began.elapsed().as_millis()).unwrap_or_default());
        self.screen.clear();
        say!("Polled through {days} simulated days in {took}.");
        Ok(())
    }

    /// Polls every search once, side by side.
    async fn poll_all(&self) -> anyhow::Result<()> {
        let mut polls = JoinSet::new();
        for search in self.searches {
            let (engine, search) = (self.engine.clone(), Arc::clone(search));
            polls.spawn(async move { engine.poll(&search).await });
        }
        while let Some(ended) = polls.join_next().await {
            ended??;
        }
        Ok(())
    }
}

/// When to poll, from a time to a later one: weekly, and in the end daily.
fn moments(from: Time, until: Time) -> Vec<Time> {
    let mut moments = vec![from];
    let mut at = from;
    while at < until {
        let step = if until.ms() - at.ms() >= DAILY_MS + WEEK_MS { WEEK_MS } else { Time::DAY_MS };
        at = at.plus_ms(step).min(until);
        moments.push(at);
    }
    moments
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_past_is_polled_weekly_and_in_the_end_daily() {
        let days = |from: i64, until: i64| {
            let moments = moments(Time::from_ms(from * Time::DAY_MS), Time::from_ms(until * Time::DAY_MS));
            moments.iter().map(|at| at.ms() / Time::DAY_MS).collect::<Vec<_>>()
        };
        assert_eq!(days(0, 0), [0]);
        assert_eq!(days(3, 5), [3, 4, 5]);
        let long = days(0, 126);
        assert_eq!(long[..3], [0, 7, 14]);
        assert_eq!(long[16], 112);
        assert_eq!(long[17..], (113..=126).collect::<Vec<_>>());
        let late = Time::from_ms(5 * Time::DAY_MS + 7);
        assert_eq!(moments_end(late), Some(Time::from_ms(6 * Time::DAY_MS)));
    }

    fn moments_end(from: Time) -> Option<Time> {
        moments(from, Time::from_ms(6 * Time::DAY_MS)).last().copied()
    }
}
