//! What AWS refuses or stops in a new account, and emulators do not.

use serde_json::Value;

use super::document::{Resource, Template, listed, reference};
use super::policies::statements;
use super::rules::Findings;

/// A policy of a queue or topic may only name that one: SQS ("each policy must cover only a single queue", Developer
/// Guide) and SNS refuse others. A second policy for the same one would replace the first.
pub(crate) fn policies_are_of_one_queue_or_topic(template: &Template, findings: &mut Findings) {
    for (policies, of, things) in
        [("AWS::SQS::QueuePolicy", "Queues", "AWS::SQS::Queue"), ("AWS::SNS::TopicPolicy", "Topics", "AWS::SNS::Topic")]
    {
        for policy in template.of(policies) {
            let named: Vec<_> = listed(&policy.properties[of]).into_iter().filter_map(reference).collect();
            findings.unless(named.len() == 1, || format!("{}: {of} has {named:?}, not one", policy.id));
            for statement in listed(&policy.properties["PolicyDocument"]["Statement"]) {
                let resources: Vec<_> = listed(&statement["Resource"]).into_iter().map(reference).collect();
                let own = resources.len() == 1 && resources[0].is_some_and(|resource| named.contains(&resource));
                findings.unless(own, || format!("{}: a statement is of {resources:?}, not of its own", policy.id));
            }
        }
        for thing in template.of(things) {
            let has = |policy: &Resource<'_>| listed(&policy.properties[of]).into_iter().any(|it| is(it, thing.id));
            let policies = template.of(policies).filter(has).count();
            findings.unless(policies == 1, || format!("{}: it has {policies} policies, not one", thing.id));
        }
    }
}

fn is(value: &Value, id: &str) -> bool {
    reference(value) == Some(id)
}

/// Lambda refuses a reservation that leaves less than 100 executions for the others, or more than a smaller account
/// has: the quota of a new one is 10.
pub(crate) fn nothing_is_reserved_by_default(template: &Template, findings: &mut Findings) {
    for function in template.functions() {
        let reserved = template.by_default(&function.properties["ReservedConcurrentExecutions"]);
        findings.unless(reserved.is_null(), || format!("{}: it reserves {reserved} executions", function.id));
        let provisioned = &function.properties["ProvisionedConcurrencyConfig"];
        findings.unless(provisioned.is_null(), || format!("{}: it has provisioned concurrency", function.id));
    }
}

/// Whether a role may send messages to a queue.
fn sends(template: &Template, role: &str, queue: &str) -> bool {
    statements(template).any(|(holder, statement)| {
        holder.id == role
            && statement["Effect"] == "Allow"
            && listed(&statement["Action"]).iter().any(|action| *action == "sqs:SendMessage")
            && listed(&statement["Resource"]).into_iter().any(|resource| is(resource, queue))
    })
}

/// Lambda stops a function whose messages return to it after about 16 rounds (Developer Guide, "recursive loop
/// detection"). An intended loop must be allowed, and no other: there it is the last limit on a bill.
pub(crate) fn recursion_is_allowed_where_it_is_meant(template: &Template, findings: &mut Findings) {
    for function in template.functions() {
        let role = reference(&function.properties["Role"]).unwrap_or_default();
        let mappings = template.of("AWS::Lambda::EventSourceMapping");
        let own = mappings.filter(|mapping| is(&mapping.properties["FunctionName"], function.id));
        let sources: Vec<_> = own.filter_map(|mapping| reference(&mapping.properties["EventSourceArn"])).collect();
        let recursive = sources.iter().any(|queue| sends(template, role, queue));
        let allowed = function.properties["RecursiveLoop"] == "Allow";
        findings.unless(allowed || !recursive, || format!("{}: its messages return to it", function.id));
        findings.unless(recursive || !allowed, || format!("{}: RecursiveLoop is Allow for nothing", function.id));
    }
}

/// The stack's tags reach all resources except those whose type does not declare tags to CloudFormation.
pub(crate) fn resources_beyond_the_stacks_tags_are_tagged(template: &Template, findings: &mut Findings) {
    for budget in template.of("AWS::Budgets::Budget") {
        let tags = listed(&budget.properties["ResourceTags"]);
        let tagged = tags.iter().any(|tag| tag["Key"] == "Project");
        findings.unless(tagged, || format!("{}: ResourceTags has no Project", budget.id));
    }
}
