//! How a new version of a function takes over: at once, or gradually, and back after an alarm.

use serde_json::{Value, json};

use super::document::{Template, listed};
use super::rules::Findings;
use super::{assert_caught, caught};

const RULE: &str = "new versions of stream readers can shift gradually";

/// A failing batch of a stream is retried while its shard waits: a version that cannot read the stream's records must
/// not get all of them at once, if the operator says so.
pub(crate) fn new_versions_can_shift_gradually(template: &Template, findings: &mut Findings) {
    for mapping in template.mappings(true) {
        let function = template.named(&mapping.properties["FunctionName"]);
        let Some(function) = function else {
            findings.unless(false, || format!("{}: FunctionName is not one function in both cases", mapping.id));
            continue;
        };
        let (id, properties) = (function.id, function.properties);
        let preference = &properties["DeploymentPreference"];
        findings.unless(properties["AutoPublishAlias"] == "live", || format!("{id}: it has no alias `live`"));
        let through_alias = json!({ "Fn::If": ["ShiftsGradually", { "Ref": format!("{id}.Alias") }, { "Ref": id }] });
        findings.unless(mapping.properties["FunctionName"] == through_alias, || {
            format!("{}: it does not read through the alias where the shift is gradual, and only there", mapping.id)
        });
        // A condition would not work here: SAM treats any condition as true.
        let looked_up = json!({ "Fn::FindInMap": ["Shifts", { "Ref": "DeploymentShift" }, "Gradual"] });
        findings.unless(
            preference["Enabled"] == looked_up && preference["Type"] == json!({ "Ref": "DeploymentShift" }),
            || format!("{id}: DeploymentShift does not say how, or whether, a new version shifts"),
        );
        let role = template.named(where_gradual(&preference["Role"]));
        findings.unless(role.is_some_and(|role| role.kind == "AWS::IAM::Role"), || {
            format!("{id}: CodeDeploy has no role of this template, and SAM would make a broad one")
        });
        // Another rule reports a missing alarm.
        let on_errors = |named: &&Value| {
            template.named(named).is_none_or(|alarm| {
                alarm.properties["MetricName"] == "Errors"
                    && alarm.properties["Dimensions"] == json!([{ "Name": "FunctionName", "Value": { "Ref": id } }])
            })
        };
        findings.unless(listed(where_gradual(&preference["Alarms"])).iter().any(on_errors), || {
            format!("{id}: no alarm on its errors rolls a new version back")
        });
    }
    shifts_are_known(template, findings);
}

/// The value for a gradual shift, which must be absent otherwise: unconditional references to resources that refer back
/// to the function are a cycle to LocalStack, which follows them before SAM expands the template.
fn where_gradual(value: &Value) -> &Value {
    match &value["Fn::If"] {
        Value::Array(cases) if cases.len() == 3 && cases[0] == "ShiftsGradually" => &cases[1],
        _ => &Value::Null,
    }
}

/// The map has every shift that the parameter accepts, and only the default is none.
fn shifts_are_known(template: &Template, findings: &mut Findings) {
    let parameter = &template.0["Parameters"]["DeploymentShift"];
    let shifts = template.0["Mappings"]["Shifts"].as_object();
    for shift in listed(&parameter["AllowedValues"]).into_iter().filter_map(Value::as_str) {
        let gradual = if *shift == *parameter["Default"].as_str().unwrap_or_default() { "false" } else { "true" };
        let message = shifts.and_then(|shifts| shifts.get(shift)).map(|shift| &shift["Gradual"]);
        findings.unless(message == Some(&json!(gradual)), || {
            format!("DeploymentShift: {shift} is not {gradual} in Shifts")
        });
    }
    let gradual = json!({ "Fn::Not": [{ "Fn::Equals": [{ "Ref": "DeploymentShift" }, parameter["Default"]] }] });
    findings.unless(template.0["Conditions"]["ShiftsGradually"] == gradual, || {
        "DeploymentShift: the condition ShiftsGradually does not ask for it".to_owned()
    });
}

pub(crate) fn roles_can_be_bounded(template: &Template, findings: &mut Findings) {
    let bounded = json!({ "Fn::If": ["HasRoleBoundary", { "Ref": "RoleBoundaryArn" }, { "Ref": "AWS::NoValue" }] });
    for role in template.of("AWS::IAM::Role") {
        findings.unless(role.properties["PermissionsBoundary"] == bounded, || {
            format!("{}: RoleBoundaryArn does not bound it", role.id)
        });
    }
}

#[test]
fn a_version_without_a_gradual_shift_is_caught() {
    for (function, mapping) in [("MetricsFunction", "MetricsMapping"), ("AlertsFunction", "AlertsMapping")] {
        caught(&format!("{function}/Properties/AutoPublishAlias"), Value::Null, RULE, &[function]);
        caught(&format!("{function}/Properties/DeploymentPreference/Enabled"), json!(true), RULE, &[function]);
        let condition = json!({ "Fn::If": ["ShiftsGradually", true, false] });
        caught(&format!("{function}/Properties/DeploymentPreference/Enabled"), condition, RULE, &[function]);
        caught(&format!("{function}/Properties/DeploymentPreference/Role"), Value::Null, RULE, &[function]);
        let own = function.replace("Function", "Errors");
        let gradually = |alarms: Value| json!({ "Fn::If": ["ShiftsGradually", alarms, [{ "Ref": "AWS::NoValue" }]] });
        let none = gradually(json!([]));
        let another = gradually(json!([{ "Ref": "ApiErrors" }]));
        for alarms in [none, another, json!([{ "Ref": own }])] {
            caught(&format!("{function}/Properties/DeploymentPreference/Alarms"), alarms, RULE, &[function]);
        }
        let bare = json!({ "Fn::GetAtt": ["ShiftRole", "Arn"] });
        caught(&format!("{function}/Properties/DeploymentPreference/Role"), bare, RULE, &[function]);
        for reader in [json!({ "Ref": function }), json!({ "Ref": format!("{function}.Alias") })] {
            caught(&format!("{mapping}/Properties/FunctionName"), reader, RULE, &[mapping]);
        }
    }
}

#[test]
fn a_shift_missing_from_the_map_is_caught() {
    let mut template = Template::load();
    template.0["Mappings"]["Shifts"].as_object_mut().unwrap().remove("Linear10PercentEvery3Minutes").unwrap();
    assert_caught(&super::findings(&template), RULE, &["DeploymentShift"]);
    template = Template::load();
    template.0["Mappings"]["Shifts"]["AllAtOnce"]["Gradual"] = json!("true");
    assert_caught(&super::findings(&template), RULE, &["DeploymentShift"]);
}

#[test]
fn a_role_without_a_boundary_is_caught() {
    let template = Template::load();
    for role in template.of("AWS::IAM::Role") {
        caught(&format!("{}/Properties/PermissionsBoundary", role.id), Value::Null, "roles can be bounded", &[role.id]);
    }
}
