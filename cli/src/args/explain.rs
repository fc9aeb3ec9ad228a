use clap::Args;
use clap::builder::PossibleValuesParser;
use stoop_pipeline::ErrorCode;

#[derive(Args)]
pub(crate) struct ExplainArgs {
    /// The code, such as `full`; without it, all are listed
    #[arg(value_parser = PossibleValuesParser::new(ErrorCode::ALL.map(ErrorCode::as_str)), hide_possible_values = true)]
    pub(crate) code: Option<String>,
}
