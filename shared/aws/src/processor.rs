//! A function must start on every processor that Lambda has. cargo-lambda builds for the oldest (Haswell, Neoverse N1), and
//! the workspace says so again behind what a user's own Cargo configuration says (`[workspace.metadata.lambda.build]`).
//! What nothing can be said behind is the variable `RUSTFLAGS`: with `-C target-cpu=native` in it, a function would end
//! with an illegal instruction on AWS, at its first call or at its hundredth. Here it ends while it is built.
//!
//! Only cargo-lambda's builds abort on a panic: a build for the machine at hand is nobody's business but its user's.

/// What no Haswell has: Broadwell, the first Zen and all after them do.
#[cfg(all(
    panic = "abort",
    target_arch = "x86_64",
    any(target_feature = "adx", target_feature = "rdseed", target_feature = "sha", target_feature = "avx512f")
))]
compile_error!("built for a newer processor than Lambda promises: take `target-cpu` out of RUSTFLAGS");

/// What no Neoverse N1 has: Graviton 3, Apple's processors and all after them do.
#[cfg(all(
    panic = "abort",
    target_arch = "aarch64",
    any(target_feature = "paca", target_feature = "bf16", target_feature = "sve", target_feature = "flagm")
))]
compile_error!("built for a newer processor than Lambda promises: take `target-cpu` out of RUSTFLAGS");
