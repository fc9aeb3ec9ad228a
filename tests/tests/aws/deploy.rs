//! `infra/deploy`: the calls of `sam` that it makes from `samconfig.toml` and its environment, recorded by a fake
//! `sam`.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Output};

use stoop_tests::local::venv_python;
use stoop_tests::stack::project;
use stoop_waits::{PATIENCE, output};

/// A built project with these settings and the real `infra/deploy`.
fn folder(samconfig: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for part in ["infra", "bin", ".aws-sam/build/MetricsFunction", ".aws-sam/build/AlertsFunction"] {
        std::fs::create_dir_all(folder.path().join(part)).unwrap();
    }
    std::fs::copy(project().join("infra/deploy"), folder.path().join("infra/deploy")).unwrap();
    std::fs::write(folder.path().join("samconfig.toml"), samconfig).unwrap();
    let sam = folder.path().join("bin/sam");
    std::fs::write(&sam, "#!/bin/sh\nprintf '<%s>' \"$@\"\nexit 3\n").unwrap();
    std::fs::set_permissions(&sam, std::fs::Permissions::from_mode(0o755)).unwrap();
    folder
}

fn deploy(folder: &Path, arguments: &[&str], variables: &[(&str, &str)]) -> Output {
    let path = format!("{}:{}", folder.join("bin").display(), std::env::var("PATH").unwrap());
    let mut command = Command::new(venv_python().unwrap());
    for unset in ["CI", "ARTIFACT_BUCKET", "RESOURCES_ROLE_ARN", "ROLE_BOUNDARY_ARN", "GITHUB_SHA"] {
        command.env_remove(unset);
    }
    command.arg(folder.join("infra/deploy")).args(arguments).env("PATH", path).envs(variables.iter().copied());
    output(&mut command, PATIENCE).unwrap()
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).lines().last().unwrap_or_default().to_owned()
}

const SAMCONFIG: &str = r#"
version = 0.1
[default.build.parameters]
cached = false
[dev.deploy.parameters]
stack_name = "x"
[prod.deploy.parameters]
parameter_overrides = ["DeletionProtection=true", "PlannerRate=rate(1 minute)"]
"#;

#[test]
fn given_parameters_are_added_to_those_of_the_environment() {
    let folder = folder(SAMCONFIG);
    let dev = deploy(folder.path(), &["dev"], &[]);
    assert_eq!((said(&dev).as_str(), dev.status.code()), ("<deploy><--config-env><dev>", Some(3)), "sam's own end");
    let prod = deploy(folder.path(), &["prod", "DeletionProtection=false", "Shards=2"], &[]);
    let expected = "<deploy><--config-env><prod><--parameter-overrides><DeletionProtection=false>\
                    <PlannerRate=rate(1 minute)><Shards=2>";
    assert_eq!(said(&prod), expected);
    let variables = [
        ("CI", "true"),
        ("ARTIFACT_BUCKET", "zips"),
        ("RESOURCES_ROLE_ARN", "arn:aws:iam::1:role/deploy/r"),
        ("ROLE_BOUNDARY_ARN", "arn:aws:iam::1:policy/deploy/b"),
        ("GITHUB_SHA", "0123abc"),
    ];
    let on_github = deploy(folder.path(), &["dev"], &variables);
    let expected = "<deploy><--config-env><dev><--parameter-overrides><RoleBoundaryArn=arn:aws:iam::1:policy/deploy/b>\
                    <--no-resolve-s3><--s3-bucket><zips><--s3-prefix><dev><--role-arn><arn:aws:iam::1:role/deploy/r>\
                    <--no-confirm-changeset><--no-progressbar>";
    assert_eq!(said(&on_github), expected);
    for function in ["MetricsFunction", "AlertsFunction"] {
        let release = folder.path().join(".aws-sam/build").join(function).join("release");
        let release = std::fs::read_to_string(release).unwrap();
        assert!(release.starts_with("0123abc 20"), "a new version each time, and of what: {release}");
    }
}

#[test]
fn a_failed_deployment_says_why() {
    let folder = folder(SAMCONFIG);
    let refused = |arguments: &[&str]| {
        let output = deploy(folder.path(), arguments, &[]);
        assert!(!output.status.success() && said(&output).is_empty(), "{arguments:?}: {output:?}");
        String::from_utf8(output.stderr).unwrap().trim_end().to_owned()
    };
    let unknown = "infra/deploy: samconfig.toml has no environment 'test' to deploy to; accepted are dev, prod";
    assert_eq!(refused(&["test"]), unknown);
    assert_eq!(refused(&["dev", "Shards"]), "infra/deploy: 'Shards' is not PARAMETER=VALUE");
    assert!(refused(&[]).contains("infra/deploy ENVIRONMENT [PARAMETER=VALUE ...]"));
    std::fs::remove_dir(folder.path().join(".aws-sam/build/AlertsFunction")).unwrap();
    assert_eq!(refused(&["dev"]), "infra/deploy: .aws-sam/build/AlertsFunction does not exist: `sam build` makes it");
}
