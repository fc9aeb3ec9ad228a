//! Functions are built for the processors that Lambda guarantees, whatever the build machine has.

use std::path::Path;
use std::process::Command;

use stoop_waits::{PATIENCE, output};

/// The source of the compile-time check, with the features and architectures that it names.
const GUARD: &str = include_str!("../../../shared/aws/src/processor.rs");

/// `rustc`, as Cargo found it for this test.
fn rustc() -> Command {
    Command::new(std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into()))
}

/// The features of a processor that the check refuses.
fn refused(target: &str, processor: &str) -> Vec<String> {
    let cpu = format!("target-cpu={processor}");
    let out = output(rustc().args(["--print", "cfg", "--target", target, "-C", &cpu]), PATIENCE).unwrap();
    assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
    let cfg = String::from_utf8(out.stdout).unwrap();
    let features = cfg.lines().filter_map(|line| line.strip_prefix("target_feature="));
    features
        .filter(|feature| GUARD.contains(&format!("target_feature = {feature}")))
        .map(|feature| feature.trim_matches('"').to_owned())
        .collect()
}

#[test]
fn lambda_s_processors_pass_and_newer_ones_do_not() {
    for (target, promised, newer) in [
        (
            "x86_64-unknown-linux-gnu",
            ["x86-64", "haswell"],
            ["broadwell", "skylake", "sapphirerapids", "znver1", "znver3", "znver5"],
        ),
        (
            "aarch64-unknown-linux-gnu",
            ["generic", "neoverse-n1"],
            ["neoverse-v1", "neoverse-n2", "neoverse-v2", "ampere1", "apple-m1", "apple-m4"],
        ),
    ] {
        for processor in promised {
            assert_eq!(refused(target, processor), Vec::<String>::new(), "{processor}");
        }
        for processor in newer {
            assert!(
                !refused(target, processor).is_empty(),
                "{processor} would start nowhere on Lambda but on its like"
            );
        }
    }
}

#[test]
fn a_function_for_a_newer_processor_is_not_built() {
    let folder = tempfile::tempdir().unwrap();
    let guard = folder.path().join("processor.rs");
    std::fs::write(&guard, GUARD).unwrap();
    let built = |processor: &str, panic: &str| {
        let mut command = rustc();
        command.args([
            "--crate-type",
            "lib",
            "--emit",
            "metadata",
            "--target",
            "x86_64-unknown-linux-gnu",
            "--out-dir",
        ]);
        command.arg(folder.path()).args(["-C", &format!("target-cpu={processor}"), "-C", &format!("panic={panic}")]);
        let out = output(command.arg(&guard), PATIENCE).unwrap();
        (out.status.success(), String::from_utf8_lossy(&out.stderr).into_owned())
    };
    if cfg!(not(all(target_arch = "x86_64", target_os = "linux", target_env = "gnu"))) {
        eprintln!("skipped: the standard library of x86_64-unknown-linux-gnu is not this machine's");
        return;
    }
    assert!(built("haswell", "abort").0, "the target of cargo-lambda");
    assert!(built("skylake", "unwind").0, "a build for the machine at hand");
    let (is_built, said) = built("skylake", "abort");
    assert!(!is_built && said.contains("remove `target-cpu` from RUSTFLAGS"), "{said}");
}

/// The last `target-cpu` wins: cargo-lambda's own is in `build.rustflags`, which Cargo ignores for a target with its
/// own flags; so the workspace sets it for the targets.
#[test]
fn the_workspace_sets_the_target_processors() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let manifest: toml::Table = std::fs::read_to_string(root.join("Cargo.toml")).unwrap().parse().unwrap();
    let config = manifest["workspace"]["metadata"]["lambda"]["build"]["config"].as_array().unwrap();
    let parsed = config.iter().map(|line| line.as_str().unwrap().parse::<toml::Table>().unwrap());
    let mut flags: Vec<(String, String)> = Vec::new();
    for table in parsed {
        for (target, of) in table["target"].as_table().unwrap() {
            let last = of["rustflags"].as_array().unwrap().last().unwrap();
            flags.push((target.clone(), last.as_str().unwrap().to_owned()));
        }
    }
    let expected =
        [("x86_64-unknown-linux-gnu", "target-cpu=haswell"), ("aarch64-unknown-linux-gnu", "target-cpu=neoverse-n1")];
    assert_eq!(flags, expected.map(|(target, flag)| (target.to_owned(), flag.to_owned())));
}
