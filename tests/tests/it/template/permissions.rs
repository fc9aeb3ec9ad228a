//! Roles have exactly the permissions they need; and other rules that only AWS enforces.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::document::{Template, listed};
use super::iam::{Asked, covers, is_denied, like, role_may, service_may, service_may_assume, text};
use super::policies::statements;
use super::services::Need;
use super::{calls, services};

/// Every action in a role's name.
fn needs(template: &Template) -> Vec<Need> {
    let mut all = calls::needs(template);
    all.extend(services::needs(template));
    all
}

/// The missing and the unneeded permissions of roles.
fn findings(template: &Template) -> Vec<String> {
    let needs = needs(template);
    let mut found = Vec::new();
    for Need { role, who, asked } in &needs {
        let over_tls = asked.clone().with("aws:SecureTransport", "true");
        if !role_may(template, role, &over_tls) || is_denied(template, &over_tls) {
            found.push(format!("{role} lacks {} on {} ({who})", asked.action, asked.resource));
        }
    }
    let roles: BTreeSet<&str> = template.of("AWS::IAM::Role").map(|role| role.id).collect();
    for (role, statement) in statements(template).filter(|(holder, _)| roles.contains(holder.id)) {
        let of_role: Vec<&Asked> = needs.iter().filter(|need| need.role == role.id).map(|need| &need.asked).collect();
        for action in listed(&statement["Action"]) {
            for resource in listed(&statement["Resource"]) {
                let part = json!({ "Action": action, "Resource": resource, "Condition": statement["Condition"] });
                if !of_role.iter().any(|asked| covers(template, &part, asked)) {
                    found.push(format!("{} has {action} on {} for nothing", role.id, text(template, resource)));
                }
            }
        }
        for accepted in listed(&statement["Condition"]["StringLike"]["s3:prefix"]) {
            let accepted = text(template, accepted);
            let asks = |asked: &&Asked| asked.context.iter().any(|(_, prefix)| like(&accepted, prefix));
            if !of_role.iter().any(asks) {
                found.push(format!("{} may list {accepted} for nothing", role.id));
            }
        }
    }
    found
}

#[test]
fn roles_have_exactly_the_permissions_they_need() {
    for which in super::generations::ALL {
        assert_eq!(findings(&Template::of_generations(which)), Vec::<String>::new(), "{which}");
    }
}

/// The statement of a role with this `Sid`.
fn statement<'t>(template: &'t mut Template, role: &str, sid: &str) -> &'t mut Value {
    let policy = &mut template.0["Resources"][role]["Properties"]["Policies"][0]["PolicyDocument"];
    let statements = policy["Statement"].as_array_mut().unwrap();
    statements.iter_mut().find(|statement| statement["Sid"] == sid).unwrap()
}

#[test]
fn a_missing_permission_is_found() {
    let lacks = |role: &str, sid: &str, part: &str, value: Value, what: &str| {
        let mut template = Template::load();
        statement(&mut template, role, sid)[part] = value;
        let found = findings(&template);
        assert!(found.iter().any(|finding| finding.starts_with(&format!("{role} lacks {what}"))), "{found:#?}");
    };
    let other = |resource: &str| json!({ "Fn::Sub": resource });
    lacks("PollerRole", "SendObservations", "Action", json!("kinesis:PutRecord"), "kinesis:PutRecords");
    lacks("PollerRole", "KeepIndexes", "Action", json!("s3:PutObject"), "s3:GetObject");
    lacks("PollerRole", "KeepIndexes", "Resource", other("${DataBucket.Arn}/indexes/*"), "s3:PutObject");
    lacks("PollerRole", "KeepIndexes", "Action", json!(["s3:GetObject", "s3:PutObject"]), "s3:DeleteObject");
    let prefix = json!({ "StringLike": { "s3:prefix": ["index/", "files/*", "accepted/*"] } });
    lacks("PollerRole", "ListIndexesAndFiles", "Condition", prefix, "s3:ListBucket");
    lacks("PollerRole", "ReadSourceKeys", "Resource", other("arn:aws:secretsmanager:*:*:secret:other/*"), "secretsm");
    lacks("MetricsRole", "CommitState", "Resource", json!({ "Fn::GetAtt": ["HomesTable", "Arn"] }), "dynamodb:PutItem");
    lacks("MetricsRole", "FindFailuresBucket", "Effect", json!("Deny"), "s3:ListBucket");
    // Only one generation, while there are two: during a swap both are written.
    let of_a = json!([{ "Fn::GetAtt": ["HomesTable", "Arn"] }, { "Fn::GetAtt": ["MarketsTable", "Arn"] }]);
    lacks(
        "MetricsRole",
        "CommitState",
        "Resource",
        of_a,
        "dynamodb:BatchGetItem on arn:aws:dynamodb:us-east-1:111122223333:table/HomesTableB",
    );
    lacks("AlertsRole", "ReadChangeFeed", "Resource", other("${HomesTable.Arn}/stream/*"), "dynamodb:DescribeStream");
    lacks("ApiRole", "ListHomesMarketsAlertsAndRuns", "Resource", other("${MarketsTable.Arn}"), "dynamodb:Query");
    lacks("ApiRole", "ReadSums", "Resource", other("${DataBucket.Arn}/accepted/*"), "s3:GetObject");
    // The sums of both generations are kept, and each market is settled in its own table.
    let changed_of_a = other("${MarketsTable.Arn}/index/changed");
    let of_b = "dynamodb:Query on arn:aws:dynamodb:us-east-1:111122223333:table/MarketsTableB/index/changed";
    lacks("RollupRole", "ListMarkets", "Resource", changed_of_a, of_b);
    lacks("RollupRole", "ReadMergeAndSettleMarkets", "Action", json!("dynamodb:BatchGetItem"), "dynamodb:UpdateItem");
    lacks("RollupRole", "ListListings", "Resource", other("${HomesTable.Arn}/index/open"), "dynamodb:Query");
    lacks("AlertsRole", "FindOtherListings", "Effect", json!("Deny"), "dynamodb:BatchGetItem");
    lacks("RollupRole", "KeepSums", "Action", json!("s3:PutObject"), "s3:GetObject");
    let bare = json!({ "StringLike": { "s3:prefix": "rollups/" } });
    lacks("RollupRole", "SeeWhichSumsThereAre", "Condition", bare, "s3:ListBucket");
    lacks("ApiRole", "ReadToken", "Effect", json!("Deny"), "secretsmanager:GetSecretValue");
    // Actions of services.
    lacks("LakeRole", "WriteLake", "Resource", other("${DataBucket.Arn}/lake/observations/*"), "s3:PutObject");
    lacks("AlertsRole", "ReadChangeFeed", "Resource", other("${HomesTable.Arn}"), "dynamodb:GetRecords");
    lacks("PlannerRole", "SayWhatFailed", "Action", json!("sqs:GetQueueUrl"), "sqs:SendMessage");
    // A bucket policy that denies everybody.
    let mut template = Template::load();
    let policy = &mut template.0["Resources"]["DataBucketPolicy"]["Properties"]["PolicyDocument"];
    policy["Statement"][0].as_object_mut().unwrap().remove("Condition");
    assert!(findings(&template).iter().any(|finding| finding.starts_with("AlertsRole lacks s3:GetObject")));
}

#[test]
fn an_unneeded_permission_is_found() {
    let spare = |role: &str, sid: &str, part: &str, value: Value, what: &str| {
        let mut template = Template::load();
        statement(&mut template, role, sid)[part] = value;
        assert_eq!(findings(&template), [format!("{role} {what} for nothing")]);
    };
    let actions = json!(["kinesis:PutRecords", "kinesis:DescribeStream"]);
    let stream = "arn:aws:kinesis:us-east-1:111122223333:stream/Stream";
    spare("PollerRole", "SendObservations", "Action", actions, &format!("has \"kinesis:DescribeStream\" on {stream}"));
    let prefixes = json!({ "StringLike": { "s3:prefix": ["accepted/*", "lake/*"] } });
    spare("AlertsRole", "SeeWhatIsAccepted", "Condition", prefixes, "may list lake/*");
    let homes = "arn:aws:dynamodb:us-east-1:111122223333:table/HomesTable";
    let tables = json!([{ "Fn::GetAtt": ["AlertsTable", "Arn"] }, { "Fn::GetAtt": ["HomesTable", "Arn"] }]);
    let mut template = Template::load();
    statement(&mut template, "AlertsRole", "KeepLedger")["Resource"] = tables;
    let found = findings(&template);
    // It reads homes anyway.
    let expected =
        ["PutItem", "UpdateItem"].map(|it| format!("AlertsRole has \"dynamodb:{it}\" on {homes} for nothing"));
    assert_eq!(found, expected);
}

#[test]
fn only_firehose_lists_the_data_bucket_without_a_prefix() {
    let template = Template::load();
    let whole = Asked::new(&template, "s3:ListBucket", "${DataBucket.Arn}", &[("aws:SecureTransport", "true")]);
    let roles = template.of("AWS::IAM::Role").map(|role| role.id);
    let may: Vec<&str> = roles.filter(|role| role_may(&template, role, &whole)).collect();
    assert_eq!(may, ["LakeRole"]);
}

#[test]
fn only_the_intended_services_may_assume_the_roles() {
    let template = Template::load();
    let ours: &[(&str, &str)] = &[("aws:SourceAccount", "${AWS::AccountId}"), ("sts:ExternalId", "${AWS::AccountId}")];
    let others: &[(&str, &str)] = &[("aws:SourceAccount", "999999999999"), ("sts:ExternalId", "999999999999")];
    for role in template.of("AWS::IAM::Role") {
        let (service, guarded) = match role.id {
            "PlannerScheduleRole" | "RollupScheduleRole" => ("scheduler.amazonaws.com", true),
            "LakeRole" => ("firehose.amazonaws.com", true),
            // CodeDeploy, like Lambda, uses no role of another account.
            "ShiftRole" => ("codedeploy.amazonaws.com", false),
            // Lambda assumes a role only for functions of its own account.
            _ => ("lambda.amazonaws.com", false),
        };
        assert!(service_may_assume(&template, service, role.id, ours), "{} for {service}", role.id);
        assert!(!service_may_assume(&template, "ec2.amazonaws.com", role.id, ours), "{}", role.id);
        assert_eq!(service_may_assume(&template, service, role.id, others), !guarded, "{}", role.id);
    }
}

#[test]
fn requests_without_tls_are_refused() {
    let template = Template::load();
    let mut asked = Vec::new();
    for bucket in template.of("AWS::S3::Bucket").map(|it| it.id) {
        asked.push(("s3:ListBucket", format!("${{{bucket}.Arn}}")));
        asked.extend(["s3:GetObject", "s3:PutObject"].map(|action| (action, format!("${{{bucket}.Arn}}/a/b"))));
    }
    for queue in template.of("AWS::SQS::Queue").map(|it| it.id) {
        asked.extend(["sqs:SendMessage", "sqs:ReceiveMessage"].map(|action| (action, format!("${{{queue}.Arn}}"))));
    }
    asked.extend(template.of("AWS::SNS::Topic").map(|topic| ("sns:Publish", format!("${{{}}}", topic.id))));
    assert_eq!(asked.len(), 14);
    for (action, resource) in asked {
        for (tls, denied) in [("false", true), ("true", false)] {
            let asked = Asked::new(&template, action, &resource, &[("aws:SecureTransport", tls)]);
            assert_eq!(is_denied(&template, &asked), denied, "{action} on {resource}, TLS {tls}");
        }
    }
}

#[test]
fn cloudwatch_may_publish_only_alarms_of_this_account() {
    let template = Template::load();
    let publish = |topic: &str, account: &str| {
        let context = [("aws:SecureTransport", "true"), ("aws:SourceAccount", account)];
        let asked = Asked::new(&template, "sns:Publish", topic, &context);
        service_may(&template, "cloudwatch.amazonaws.com", &asked)
    };
    assert!(publish("${AlarmTopic}", "${AWS::AccountId}"));
    assert!(!publish("${AlarmTopic}", "999999999999") && !publish("${AlertsTopic}", "${AWS::AccountId}"));
}

/// The key of a resource that is encrypted through KMS, with the default of every parameter.
fn kms_key(template: &Template, id: &str) -> Value {
    let properties = template.resources().find(|resource| resource.id == id).unwrap().properties;
    let given = ["KmsMasterKeyId", "KmsKeyId"].map(|name| &properties[name]);
    let of_stream = &properties["StreamEncryption"]["KeyId"];
    let key = given.into_iter().chain([of_stream]).find(|key| !key.is_null());
    key.map_or(Value::Null, |key| template.by_default(key))
}

/// An AWS managed key (`alias/aws/SERVICE`) is usable through its service by everybody in the account who may use the
/// service (KMS Developer Guide, "AWS managed keys"), so our roles need no KMS permissions; and no other service may
/// use it.
#[test]
fn keys_ask_for_no_permission_of_their_own() {
    let template = Template::load();
    let mut managed = BTreeSet::new();
    for resource in template.resources() {
        let key = kms_key(&template, resource.id);
        if key.is_null() {
            continue;
        }
        let service = resource.kind.split("::").nth(1).unwrap().to_lowercase();
        assert_eq!(key, format!("alias/aws/{service}"), "{}: roles that use it would need kms: actions", resource.id);
        managed.insert(resource.id);
    }
    assert_eq!(managed, BTreeSet::from(["AlertsTopic", "Stream"]));
    // CloudWatch publishes there, and it is a service.
    assert!(kms_key(&template, "AlarmTopic").is_null());
    let asks = |need: &Need| need.asked.action.starts_with("kms:");
    assert!(!needs(&template).iter().any(asks));
}

/// SAM makes the two permissions that a function URL needs since October 2025 (lambda:InvokeFunctionUrl, and
/// lambda:InvokeFunction on condition that it comes from the URL), if it can read that the URL is public.
#[test]
fn the_url_of_the_api_is_written_so_that_sam_opens_it() {
    let template = Template::load();
    let with_url: Vec<_> = template.functions().filter(|it| !it.properties["FunctionUrlConfig"].is_null()).collect();
    assert_eq!(with_url.iter().map(|function| function.id).collect::<Vec<_>>(), ["ApiFunction"]);
    assert_eq!(with_url[0].properties["FunctionUrlConfig"]["AuthType"], "NONE");
    assert_eq!(template.of("AWS::Lambda::Permission").count(), 0, "SAM makes them");
}
