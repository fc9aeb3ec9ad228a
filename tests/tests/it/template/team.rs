//! A team's deployment: the environments of `samconfig.toml`, the roles of `infra/github-oidc.yaml`, the workflows.

use std::collections::BTreeSet;
use std::fs;

use serde_json::{Value, json};

use super::document::{Resource, Template, listed, root};
use super::policies::statements;

/// Both are counted without whitespace: <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html>.
const MANAGED_POLICY_CHARACTERS_MAX: usize = 6_144;
const INLINE_POLICIES_CHARACTERS_MAX: usize = 10_240;

fn samconfig() -> toml::Table {
    fs::read_to_string(root().join("samconfig.toml")).unwrap().parse().unwrap()
}

fn deploying(config: &toml::Table, environment: &str) -> toml::Value {
    config[environment]["deploy"]["parameters"].clone()
}

/// The mistakes in an environment's parameters.
fn mistakes(template: &Template, deploying: &toml::Value) -> Vec<String> {
    let overrides = deploying.get("parameter_overrides").and_then(toml::Value::as_array);
    let overrides = overrides.into_iter().flatten().filter_map(toml::Value::as_str);
    let mistake = |given: &str| {
        let (name, value) = given.split_once('=').unwrap();
        let parameter = &template.0["Parameters"][name];
        let allowed = listed(&parameter["AllowedValues"]);
        if parameter.is_null() {
            Some(format!("there is no parameter {name}"))
        } else if !allowed.is_empty() && !allowed.iter().any(|allowed| **allowed == value) {
            Some(format!("{name} is not {value}"))
        } else {
            None
        }
    };
    overrides.filter_map(mistake).collect()
}

#[test]
fn each_environment_is_a_stack_of_its_own() {
    let config = samconfig();
    let names = ["default", "dev", "prod"].map(|name| config[name]["global"]["parameters"]["stack_name"].clone());
    assert_eq!(names.map(|name| name.as_str().unwrap().to_owned()), ["stoop", "stoop-dev", "stoop-prod"]);
    let template = Template::load();
    for environment in ["dev", "prod"] {
        let deploying = deploying(&config, environment);
        assert_eq!(mistakes(&template, &deploying), Vec::<String>::new(), "{environment}");
        let tags = deploying["tags"].as_str().unwrap();
        assert_eq!(tags, format!("Project=stoop Environment={environment}"));
    }
    let of_prod: BTreeSet<String> = deploying(&config, "prod")["parameter_overrides"]
        .as_array()
        .unwrap()
        .iter()
        .map(|given| given.as_str().unwrap().to_owned())
        .collect();
    for given in ["DeletionProtection=true", "PointInTimeRecovery=STATE"] {
        assert!(of_prod.contains(given), "prod: {given} is not among {of_prod:?}");
    }
    let shift = of_prod.iter().find_map(|given| given.strip_prefix("DeploymentShift=")).unwrap();
    assert_ne!(shift, "AllAtOnce", "prod shifts gradually");
    // The statements of README and OPERATIONS about `sam deploy --guided` hold while this is empty.
    assert!(deploying(&config, "default").get("parameter_overrides").is_none());
}

#[test]
fn an_unknown_parameter_is_a_mistake() {
    let deploying: toml::Value =
        toml::from_str(r#"parameter_overrides = ["DeletionProtection=yes", "Shard=2", "Shards=2"]"#).unwrap();
    let expected = ["DeletionProtection is not yes", "there is no parameter Shard"];
    assert_eq!(mistakes(&Template::load(), &deploying), expected);
}

fn oidc() -> Template {
    Template::read("infra/github-oidc.yaml")
}

/// The resource with this logical ID.
fn named<'t>(template: &'t Template, id: &str) -> Resource<'t> {
    template.resources().find(|resource| resource.id == id).unwrap()
}

/// The statements of a managed policy that allow an action.
fn allowing<'t>(template: &'t Template, policy: &str, action: &str) -> Vec<&'t Value> {
    let (service, _) = action.split_once(':').unwrap();
    let whole = format!("{service}:*");
    let document = &named(template, policy).properties["PolicyDocument"];
    let allows = |statement: &&Value| listed(&statement["Action"]).iter().any(|it| **it == action || **it == *whole);
    listed(&document["Statement"]).into_iter().filter(allows).collect()
}

#[test]
fn only_a_job_of_the_environment_may_deploy() {
    let oidc = oidc();
    let trust = &named(&oidc, "DeployRole").properties["AssumeRolePolicyDocument"]["Statement"];
    let [trust] = trust.as_array().unwrap().as_slice() else { panic!("one way in: {trust}") };
    assert_eq!(trust["Action"], "sts:AssumeRoleWithWebIdentity");
    let conditions = json!({ "StringEquals": {
        "token.actions.githubusercontent.com:aud": "sts.amazonaws.com",
        "token.actions.githubusercontent.com:sub": { "Fn::Sub": "repo:${Repository}:environment:${Environment}" },
    }});
    assert_eq!(trust["Condition"], conditions, "exactly these, by StringEquals and not by StringLike");
}

#[test]
fn the_deploy_role_only_passes_one_role_to_cloudformation() {
    let oidc = oidc();
    let services: BTreeSet<&str> = statements(&oidc)
        .filter(|(holder, _)| holder.id == "DeployRole")
        .flat_map(|(_, statement)| listed(&statement["Action"]))
        .map(|action| action.as_str().unwrap().split_once(':').unwrap().0)
        .collect();
    assert_eq!(services.into_iter().collect::<Vec<_>>(), ["cloudformation", "iam", "s3"]);
    for (holder, statement) in statements(&oidc) {
        let actions = listed(&statement["Action"]);
        let is = |name: &str| actions.iter().any(|action| **action == name);
        if is("iam:PassRole") {
            let to = &statement["Condition"]["StringEquals"]["iam:PassedToService"];
            assert!(!listed(to).is_empty(), "{}: to whom? {statement}", holder.id);
        }
        if is("iam:CreateRole") || is("iam:PutRolePolicy") || is("iam:PutRolePermissionsBoundary") {
            let bounded = json!({ "StringEquals": { "iam:PermissionsBoundary": { "Ref": "Boundary" } } });
            assert_eq!(statement["Condition"], bounded, "{}", holder.id);
        }
        let unbounded = ["iam:AttachRolePolicy", "iam:DeleteRolePermissionsBoundary", "iam:*", "*"];
        assert!(!unbounded.iter().any(|action| is(action)), "{}: a way around the boundary: {statement}", holder.id);
    }
    // No resource named after the stack is one of these: they have their own path.
    for kind in ["AWS::IAM::Role", "AWS::IAM::ManagedPolicy"] {
        for resource in oidc.of(kind) {
            assert_eq!(resource.properties["Path"], "/deploy/", "{}", resource.id);
        }
    }
}

#[test]
fn the_boundary_allows_what_the_stacks_roles_need() {
    let (template, oidc) = (Template::load(), oidc());
    let of_roles = statements(&template).filter(|(holder, _)| holder.kind == "AWS::IAM::Role");
    let mut held = 0;
    for (role, statement) in of_roles {
        for action in listed(&statement["Action"]).into_iter().filter_map(Value::as_str) {
            let through = !allowing(&oidc, "Boundary", action).is_empty();
            assert!(through, "{} may {action}, and the boundary of infra/github-oidc.yaml takes it away", role.id);
            held += 1;
        }
    }
    assert!(held > 50, "{held} actions");
}

/// The IAM service prefix of a resource type.
fn service_of(kind: &str) -> String {
    let service = kind.split("::").nth(1).unwrap();
    match service {
        "Serverless" => "lambda".to_owned(),
        "KinesisFirehose" => "firehose".to_owned(),
        service => service.to_lowercase(),
    }
}

#[test]
fn cloudformation_may_make_every_resource_of_the_template() {
    let (template, oidc) = (Template::load(), oidc());
    let allowed: BTreeSet<&str> = ["ResourcesPolicy", "RolesPolicy"]
        .iter()
        .flat_map(|policy| listed(&named(&oidc, policy).properties["PolicyDocument"]["Statement"]))
        .flat_map(|statement| listed(&statement["Action"]))
        .filter_map(|action| Some(action.as_str()?.split_once(':')?.0))
        .collect();
    let kinds: BTreeSet<&str> = template.resources().map(|resource| resource.kind).collect();
    for kind in kinds.into_iter().chain(["AWS::CodeDeploy::DeploymentGroup"]) {
        let service = service_of(kind);
        assert!(allowed.contains(&*service), "ResourcesPolicy of infra/github-oidc.yaml has nothing for {kind}");
    }
}

/// The longest form of a policy: with the longest names of stack, region and account.
fn characters(document: &Value) -> usize {
    let mut text = document.to_string();
    for (placeholder, long) in [
        ("${AWS::Partition}", "aws-us-gov"),
        ("${AWS::Region}", "ap-southeast-2"),
        ("${AWS::AccountId}", "123456789012"),
        ("${StackName}", "a-stack-with-a-name-of-31-chars"),
        ("{\"Fn::Sub\":", ""),
    ] {
        text = text.replace(placeholder, long);
    }
    text.len()
}

#[test]
fn the_policies_are_within_iams_limits() {
    let oidc = oidc();
    for policy in oidc.of("AWS::IAM::ManagedPolicy") {
        let long = characters(&policy.properties["PolicyDocument"]);
        assert!(long <= MANAGED_POLICY_CHARACTERS_MAX, "{}: {long} characters", policy.id);
    }
    for role in oidc.of("AWS::IAM::Role") {
        let inline = listed(&role.properties["Policies"]).into_iter();
        let long: usize = inline.map(|policy| characters(&policy["PolicyDocument"])).sum();
        assert!(long <= INLINE_POLICIES_CHARACTERS_MAX, "{}: {long} characters", role.id);
    }
}

/// The parts of a workflow that let in foreign code or text.
fn openings(workflow: &str) -> Vec<String> {
    let mut found = Vec::new();
    if !workflow.lines().any(|line| line == "permissions: {}") {
        found.push("jobs have permissions that they do not ask for".to_owned());
    }
    let mut in_script = None;
    for line in workflow.lines() {
        let depth = line.len() - line.trim_start().len();
        let text = line.trim_start().trim_start_matches("- ");
        if in_script.is_some_and(|of| !text.is_empty() && depth <= of) {
            in_script = None;
        }
        if let Some(command) = text.strip_prefix("run:") {
            in_script = Some(depth);
            if command.contains("${{") {
                found.push(format!("a shell reads foreign text: {text}"));
            }
        } else if in_script.is_some() && text.contains("${{") {
            found.push(format!("a shell reads foreign text: {text}"));
        }
        let Some(action) = text.strip_prefix("uses: ").filter(|action| !action.starts_with("./")) else { continue };
        let (name, version) = action.split_once(" # v").unwrap_or((action, ""));
        let commit = name.split_once('@').map_or("", |(_, commit)| commit);
        let pinned = commit.len() == 40 && commit.bytes().all(|byte| byte.is_ascii_hexdigit());
        if !pinned || version.split('.').count() != 3 {
            found.push(format!("not pinned by commit, with its version in a comment: {action}"));
        }
    }
    found
}

#[test]
fn workflows_are_pinned_and_have_the_least_permissions() {
    let folder = root().join(".github/workflows");
    let files: BTreeSet<_> = fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    assert_eq!(files.len(), 2, "{files:?}");
    for file in files {
        let workflow = fs::read_to_string(&file).unwrap();
        assert_eq!(openings(&workflow), Vec::<String>::new(), "{}", file.display());
    }
    let deploy = fs::read_to_string(folder.join("deploy.yml")).unwrap();
    for environment in ["dev", "prod"] {
        assert!(deploy.contains(&format!("\n    environment: {environment}\n")), "{environment}");
    }
    assert_eq!(deploy.matches("id-token: write").count(), 2, "no job but the two that deploy gets a token");
}

#[test]
fn an_open_workflow_is_caught() {
    let workflow = "on: push\njobs:\n  a:\n    steps:\n      - uses: actions/checkout@v6\n      - run: |\n          echo\n          \
                    echo ${{ github.head_ref }}\n      - uses: a/b@de0fac2e4500dabe0009e67214ff5f5447ce83dd\n";
    assert_eq!(
        openings(workflow),
        [
            "jobs have permissions that they do not ask for",
            "not pinned by commit, with its version in a comment: actions/checkout@v6",
            "a shell reads foreign text: echo ${{ github.head_ref }}",
            "not pinned by commit, with its version in a comment: a/b@de0fac2e4500dabe0009e67214ff5f5447ce83dd",
        ]
    );
}
