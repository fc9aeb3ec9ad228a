//! X-Ray is off unless the parameter `Tracing` switches it on; then every function may send its traces.

use serde_json::{Value, json};

use super::document::{Template, listed, reference};
use super::policies::statements;
use super::rules::{Findings, findings};
use super::{FUNCTIONS, assert_caught, caught};

pub(super) fn nothing_is_traced_unless_it_is_asked_for(template: &Template, findings: &mut Findings) {
    let parameter = &template.0["Parameters"]["Tracing"];
    findings.unless(parameter["Default"] == "DISABLED", || "Tracing: its default is not DISABLED".into());
    let asked_for = json!({ "Fn::Equals": [{ "Ref": "Tracing" }, "ENABLED"] });
    let condition = template.0["Conditions"]["IsTraced"] == asked_for;
    findings.unless(condition, || "IsTraced: the condition is not that Tracing is ENABLED".into());
    let conditional = json!({ "Fn::If": ["IsTraced", "Active", "PassThrough"] });
    let of_all = &template.0["Globals"]["Function"]["Tracing"];
    for function in template.functions() {
        let own = &function.properties["Tracing"];
        let tracing = if own.is_null() { of_all } else { own };
        findings.unless(*tracing == conditional, || format!("{}: Tracing does not hang on IsTraced", function.id));
    }
    let sends = |statement: &Value| {
        let mut actions = listed(&statement["Action"]).into_iter().filter_map(Value::as_str);
        actions.any(|action| action.starts_with("xray:"))
    };
    let mut may = Vec::new();
    for (holder, _) in statements(template).filter(|(_, statement)| sends(statement)) {
        let condition = &template.0["Resources"][holder.id]["Condition"];
        findings.unless(condition == "IsTraced", || format!("{}: it may send traces in any case", holder.id));
        may.extend(listed(&holder.properties["Roles"]).into_iter().filter_map(reference));
    }
    for function in template.functions() {
        let role = reference(&function.properties["Role"]).unwrap_or_default();
        findings.unless(may.contains(&role) || role.is_empty(), || format!("{role}: it may not send traces"));
    }
}

const RULE: &str = "nothing is traced unless it is asked for";

/// The findings after a value at a pointer below the template's root was replaced.
fn changed(pointer: &str, value: Value) -> Vec<super::Finding> {
    let mut template = Template::load();
    *template.0.pointer_mut(pointer).unwrap_or_else(|| panic!("{pointer} is not in the template")) = value;
    findings(&template)
}

#[test]
fn tracing_that_is_on_by_default_is_caught() {
    assert_caught(&changed("/Parameters/Tracing/Default", json!("ENABLED")), RULE, &["Tracing"]);
    let always = json!({ "Fn::Equals": ["ENABLED", "ENABLED"] });
    assert_caught(&changed("/Conditions/IsTraced", always), RULE, &["IsTraced"]);
    for tracing in [json!("Active"), Value::Null, json!({ "Fn::If": ["IsTraced", "PassThrough", "Active"] })] {
        assert_caught(&changed("/Globals/Function/Tracing", tracing), RULE, &FUNCTIONS);
    }
    let mut template = Template::load();
    template.0["Resources"]["ApiFunction"]["Properties"]["Tracing"] = json!("Active");
    assert_caught(&findings(&template), RULE, &["ApiFunction"]);
}

#[test]
fn a_role_that_always_or_never_may_send_traces_is_caught() {
    let mut template = Template::load();
    template.0["Resources"]["TracesPolicy"].as_object_mut().unwrap().remove("Condition").unwrap();
    assert_caught(&findings(&template), RULE, &["TracesPolicy"]);
    caught("TracesPolicy/Properties/Roles/5", Value::Null, RULE, &["ApiRole"]);
    let action = "MetricsRole/Properties/Policies/0/PolicyDocument/Statement/0/Action/0";
    caught(action, json!("xray:PutTraceSegments"), RULE, &["MetricsRole"]);
}
