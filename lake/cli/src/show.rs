use anyhow::Context as _;
use serde_json::{Value, json};
use stoop_domain::Time;
use stoop_lake_tables::LakeTable;
use stoop_show::plural;

use crate::args::{ShowArgs, VersionsArgs};
use crate::out;

/// Prints the versions of a table, the newest first.
pub(crate) async fn versions(args: &VersionsArgs) -> anyhow::Result<()> {
    let table = LakeTable::read(&args.place.lake()?, &args.table).await?;
    for version in table.versions().await? {
        if args.place.json {
            out::line(&serde_json::to_string(&version)?)?;
        } else {
            out::line(&format!(
                "{:>6}  {}  {:12}  {:+} {:+} rows  {:+} {:+} files",
                version.version,
                version.at,
                version.operation,
                version.rows_added.cast_signed(),
                -version.rows_removed.cast_signed(),
                version.files_added.cast_signed(),
                -version.files_removed.cast_signed()
            ))?;
        }
    }
    Ok(())
}

/// Prints the version, the number of rows and the columns of a table, now or then.
pub(crate) async fn show(args: &ShowArgs) -> anyhow::Result<()> {
    let lake = args.place.lake()?;
    let table = match (args.number, &args.as_of) {
        (Some(number), _) => LakeTable::read_version(&lake, &args.table, number).await?,
        (None, Some(text)) => {
            let accepted = || format!("--as-of {text} is no time; write 2026-03-01 or 2026-03-01T12:30:00Z");
            let at = Time::parse_moment(text).ok().with_context(accepted)?;
            LakeTable::read_as_of(&lake, &args.table, at).await?
        }
        (None, None) => LakeTable::read(&lake, &args.table).await?,
    };
    let (rows, fields) = (table.rows()?, table.fields()?);
    if args.place.json {
        let shown = json!({ "table": args.table, "version": table.version(), "rows": rows, "columns": fields });
        out::line(&shown.to_string())?;
        return Ok(());
    }
    out::line(&format!("{}, version {}: {}", args.table, table.version(), plural(rows, "row")))?;
    for field in fields {
        let kind = field["type"].as_str().map_or_else(|| list_of(&field["type"]["elementType"]), str::to_owned);
        let comment = field["metadata"]["comment"].as_str().unwrap_or_default();
        out::line(&format!("  {:24} {kind:16} {comment}", field["name"].as_str().unwrap_or_default()))?;
    }
    Ok(())
}

fn list_of(element: &Value) -> String {
    format!("{} list", element.as_str().map_or_else(|| element.to_string(), str::to_owned))
}
