//! What all binaries share: configuration, telemetry, the HTTP client, the system clock.
//!
//! Only this crate reads a clock or the environment.

mod clock;
mod config;
mod http;
mod takeover;
mod telemetry;
mod webhook;

pub use clock::SystemClock;
pub use config::{
    AlertSettings, Config, Environment, Fetched, KeepSettings, PlanConfig, Platform, SearchConfig, Wanted, Wanting,
    parse_alerts, parse_config, parse_plan, parse_search, read_alerts, read_config, read_outline, read_search, wanted,
};
pub use http::HttpClient;
pub use takeover::{MAIN_FILE, Takeover, TakeoverError};
pub use telemetry::{LogFormat, init_telemetry};
pub use webhook::{Address, Webhook};
