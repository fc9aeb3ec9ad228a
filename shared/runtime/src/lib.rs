//! What every binary shares: configuration, telemetry, the HTTP client, the system clock.
//!
//! This is the only room that reads a clock or the environment.

mod clock;
mod config;
mod http;
mod telemetry;
mod webhook;

pub use clock::SystemClock;
pub use config::{AlertSettings, Config, SearchConfig, read_config};
pub use http::HttpClient;
pub use telemetry::{LogFormat, init_telemetry};
pub use webhook::Webhook;
