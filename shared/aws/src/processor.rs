//! Compile-time check of the target processor. A function must start on every processor that Lambda has. cargo-lambda
//! builds for the oldest (Haswell, Neoverse N1), and the workspace repeats this after a user's own Cargo configuration
//! (`[workspace.metadata.lambda.build]`). Nothing can override the variable `RUSTFLAGS`: with `-C target-cpu=native` in
//! it, a function would stop with an illegal instruction on AWS, at its first call or at its hundredth. This module
//! makes the build fail instead.
//!
//! Only cargo-lambda's builds abort on a panic; builds for the local machine may use any processor.

/// A feature that Haswell lacks, and Broadwell, the first Zen and all later ones have.
#[cfg(all(
    panic = "abort",
    target_arch = "x86_64",
    any(target_feature = "adx", target_feature = "rdseed", target_feature = "sha", target_feature = "avx512f")
))]
compile_error!("built for a newer processor than Lambda guarantees: remove `target-cpu` from RUSTFLAGS");

/// A feature that Neoverse N1 lacks, and Graviton 3, Apple's processors and all later ones have.
#[cfg(all(
    panic = "abort",
    target_arch = "aarch64",
    any(target_feature = "paca", target_feature = "bf16", target_feature = "sve", target_feature = "flagm")
))]
compile_error!("built for a newer processor than Lambda guarantees: remove `target-cpu` from RUSTFLAGS");
