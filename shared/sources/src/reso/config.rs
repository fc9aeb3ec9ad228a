//! Builds the source from a search's parameters.

use stoop_domain::{Currency, country};

use super::dialect::Dialect;
use super::{Reso, ResoAccess, Terms, filter};
use crate::grant::ClientCredentials;
use crate::params::{Param, ParamReader};
use crate::port::{Params, SearchError};

/// Fields without which no row can be read.
const SELECT_NEEDED: [&str; 4] = ["ListingKey", "ModificationTimestamp", "PropertyType", "StandardStatus"];

/// Maximum number of rows per scan. Small pages allow correspondingly more pages.
const ROWS_MAX: u32 = 1_000_000;
const PAGES_MAX_AT_LEAST: u32 = 5_000;
const PAGES_LIMIT: u32 = 1_000_000;

const YES_OR_NO: [&str; 2] = ["false", "true"];
/// The values of `MlgCanUse` (docs.mlsgrid.com).
const USES: [&str; 4] = ["IDX", "VOW", "BO", "PT"];

impl Reso {
    pub(crate) const PARAMS: &[Param] = &[
        Param::required("url", "the service's base address, the part before /Property"),
        Param::optional("name", "the source's name in every home's id (default reso)"),
        Param::optional("dialect", "plain, trestle, mlsgrid, bridge or spark (default plain: the standard alone)"),
        Param::optional("token", "the bearer token").secret(),
        Param::optional("client_id", "the id of a client that gets its tokens itself (OAuth 2.0), instead of token"),
        Param::optional("client_secret", "that client's secret").secret(),
        Param::optional("token_url", "where it gets its tokens (default for trestle: oidc/connect/token beside odata)"),
        Param::optional("scope", "the scope to ask for (default api for trestle, else none)"),
        Param::optional("filter", "an OData filter that every row must pass: OriginatingSystemName eq 'actris'"),
        Param::optional("select", "the fields to ask for, parted by commas (default all)"),
        Param::optional("expand", "related resources to ask for with each row: Media (default none)"),
        Param::optional("top", "rows a page, at most what the dialect allows (default 1000, or less)"),
        Param::optional("pages", "the most pages of one scan (default as many as a million rows take, 5000 or more)"),
        Param::optional("count", "true or false: whether to ask how many rows there are (default true)"),
        Param::optional(
            "replication",
            "true or false: use the vendor's replication, of trestle or bridge (default false)",
        ),
        Param::optional(
            "use",
            "for mlsgrid, what you use the listings for: IDX, VOW, BO or PT; others are not shown (default not looked at)",
        ),
        Param::optional("country", "the country of rows that name none, ISO 3166-1 alpha-2 (default US)"),
        Param::optional("currency", "the currency of prices, ISO 4217 (default that of the country)"),
    ];

    pub(crate) fn from_params(params: &Params) -> Result<Self, SearchError> {
        let mut reader = ParamReader::new("reso", Self::PARAMS, params);
        let base = reader.address("url", "");
        let base =
            ["/Property/replication", "/Property"].iter().find_map(|end| base.strip_suffix(end)).unwrap_or(&base);
        let base = base.to_owned();
        let name = reader.text("name", "reso");
        if !name.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_') {
            reader.mistake("name", &name, "letters, digits, - and _");
        }
        let dialect = Dialect::of(reader.one_of("dialect", &Dialect::NAMES));
        let replication = reader.one_of("replication", &YES_OR_NO) == "true";
        if replication && !matches!(dialect, Dialect::Trestle | Dialect::Bridge) {
            let accepted = "true for trestle and bridge alone; spark replicates by its url, mlsgrid always does";
            reader.mistake("replication", "true", accepted);
        }
        let filter = filter(&mut reader, dialect);
        let expand = expand(&mut reader, dialect);
        let terms = terms(&mut reader, dialect);
        let select = select(&mut reader, dialect, expand.as_deref(), terms.used_for.as_deref());
        let top = dialect.top(&base, replication, expand.is_some());
        let top = reader.number("top", 1..=top.max, top.default);
        let pages_max = reader.number("pages", 1..=PAGES_LIMIT, PAGES_MAX_AT_LEAST.max(ROWS_MAX / top));
        let count = reader.one_of("count", &["true", "false"]) == "true";
        let access = access(&mut reader, dialect, &base);
        reader.finish()?;
        Ok(Self { name, base, dialect, access, filter, select, expand, top, pages_max, count, replication, terms })
    }
}

fn filter(reader: &mut ParamReader<'_>, dialect: Dialect) -> Option<String> {
    let filter = reader.get("filter");
    if dialect == Dialect::MlsGrid
        && let Err(accepted) = filter::for_mls_grid(filter.unwrap_or_default())
    {
        reader.mistake("filter", filter.unwrap_or_default(), accepted);
    }
    filter.map(str::to_owned)
}

fn expand(reader: &mut ParamReader<'_>, dialect: Dialect) -> Option<String> {
    let expand = reader.get("expand").map(|expand| expand.split_whitespace().collect::<String>())?;
    let served = ["Media", "Rooms", "UnitTypes"];
    if dialect == Dialect::MlsGrid && !expand.split(',').all(|name| served.contains(&name)) {
        reader.mistake("expand", &expand, "Media, Rooms and UnitTypes, parted by commas: MLS Grid expands no others");
    }
    Some(expand)
}

fn select(
    reader: &mut ParamReader<'_>,
    dialect: Dialect,
    expand: Option<&str>,
    used_for: Option<&str>,
) -> Option<String> {
    let select = reader.get("select").map(|select| select.split_whitespace().collect::<String>())?;
    let mut needed = SELECT_NEEDED.to_vec();
    match dialect {
        // Without it a withdrawn row looks like any other.
        Dialect::MlsGrid => {
            needed.push("MlgCanView");
            needed.extend(used_for.map(|_| "MlgCanUse"));
        }
        // Expanded fields are returned only if they are also selected.
        Dialect::Bridge => {
            needed.push(dialect.clock());
            needed.extend(expand.into_iter().flat_map(|expand| expand.split(',')));
        }
        _ => {}
    }
    let named: Vec<&str> = select.split(',').collect();
    for field in needed.into_iter().filter(|field| !named.contains(field)) {
        reader.mistake("select", &select, &format!("a list that names {field} too"));
    }
    Some(select)
}

fn terms(reader: &mut ParamReader<'_>, dialect: Dialect) -> Terms {
    let code = reader.text("country", "US").to_uppercase();
    if code.len() != 2 || !code.bytes().all(|b| b.is_ascii_alphabetic()) {
        reader.mistake("country", &code, "a code of two letters like US (ISO 3166-1)");
    }
    let usual = country(&code.to_lowercase());
    let currency = match reader.get("currency") {
        Some(text) => Currency::parse(text).ok(),
        None => usual.currency,
    };
    if currency.is_none() {
        let value = reader.text("currency", "");
        reader.mistake("currency", &value, "a code of three letters like USD (ISO 4217)");
    }
    Terms {
        country: code,
        currency: currency.unwrap_or(Currency::USD),
        living_area_unit: usual.area_unit,
        images: dialect != Dialect::MlsGrid,
        used_for: used_for(reader, dialect),
    }
}

/// What MLS Grid's listings are used for.
fn used_for(reader: &mut ParamReader<'_>, dialect: Dialect) -> Option<String> {
    let used = reader.get("use")?.to_owned();
    if dialect != Dialect::MlsGrid {
        reader.mistake("use", &used, "nothing: only MLS Grid says what a listing may be used for");
    } else if !USES.contains(&used.as_str()) {
        reader.mistake("use", &used, &USES.join(", "));
    }
    Some(used)
}

/// Reads a token or client credentials; plain RESO may have neither. Messages contain no secrets: mistakes name the
/// parameters.
fn access(reader: &mut ParamReader<'_>, dialect: Dialect, base: &str) -> ResoAccess {
    let token = reader.get("token");
    let (id, secret) = (reader.get("client_id"), reader.get("client_secret"));
    let usual = dialect.token_url(base);
    let token_url = reader.address("token_url", usual.as_deref().unwrap_or_default());
    if id.is_none() && secret.is_none() {
        for unused in ["token_url", "scope"] {
            if let Some(value) = reader.get(unused) {
                reader.mistake(unused, value, "nothing without client_id and client_secret");
            }
        }
        return match token {
            Some(token) => ResoAccess::Token(token.to_owned()),
            None => {
                if dialect != Dialect::Plain {
                    reader.mistake("token", "", "a bearer token, or client_id and client_secret in its place");
                }
                ResoAccess::Open
            }
        };
    }
    if token.is_some() {
        reader.mistake("client_id", id.unwrap_or_default(), "either token, or client_id and client_secret; not both");
    } else if id.is_none() || secret.is_none() {
        reader.mistake("client_id", id.unwrap_or_default(), "client_id and client_secret together");
    }
    if token_url.is_empty() {
        reader.mistake("token_url", "", "the address where the client gets its tokens");
    }
    ResoAccess::Client(ClientCredentials {
        token_url,
        client_id: id.unwrap_or_default().to_owned(),
        client_secret: secret.unwrap_or_default().to_owned(),
        scope: reader.get("scope").or(dialect.scope()).map(str::to_owned),
    })
}
