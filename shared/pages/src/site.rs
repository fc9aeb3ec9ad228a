use stoop_domain::{HomeId, Time};
use stoop_pipeline::ports::{Browse, SearchControls, Store, Views, WideAreas};
use stoop_serve::Reader;
use stoop_serve::api::ApiResponse;

use crate::assets::Asset;
use crate::problem::Problem;
use crate::query::Query;
use crate::request::{Visitor, WebRequest};
use crate::route::Route;
use crate::{alerts, api, area, compare, definitions, home, layout, overview, quality, read, runs};

/// The pages on their ports.
pub(crate) struct Site<'a> {
    reader: Reader<'a>,
}

/// The longest path and query.
const PATH_BYTES_MAX: usize = 2_048;
const QUERY_BYTES_MAX: usize = 4_096;
/// Only the browser may keep it, and asks each time whether it has changed: a page may need a session.
const ASKED_AGAIN: &str = "private, no-cache";
const A_YEAR: &str = "public, max-age=31536000, immutable";

/// The headers of every response. A page may load from its own host only, and nothing may put it into a frame.
const HEADERS: [(&str, &str); 6] = [
    (
        "content-security-policy",
        "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; connect-src 'self'; form-action 'self'; \
         base-uri 'none'; frame-ancestors 'none'",
    ),
    ("x-content-type-options", "nosniff"),
    ("referrer-policy", "same-origin"),
    ("cross-origin-opener-policy", "same-origin"),
    ("cross-origin-resource-policy", "same-origin"),
    ("permissions-policy", "camera=(), geolocation=(), microphone=()"),
];

/// What is sent in response.
enum SiteAnswer {
    Page(String),
    See(String),
    File { media_type: &'static str, name: &'static str, body: String },
    Asset(&'static Asset),
}

impl<'a> Site<'a> {
    /// Pages of this state.
    pub(crate) fn new(
        store: &'a dyn Store,
        views: &'a dyn Views,
        areas: &'a dyn WideAreas,
        browse: &'a dyn Browse,
    ) -> Self {
        Self { reader: Reader { store, views, areas, browse, controls: None } }
    }

    pub(crate) fn with_controls(self, controls: &'a dyn SearchControls) -> Self {
        Self { reader: Reader { controls: Some(controls), ..self.reader } }
    }

    /// The page for a request. `now` is the time that is shown; `None` if nothing was observed yet. Never fails: a page
    /// says what is wrong.
    pub(crate) async fn answer(
        &self,
        request: &WebRequest<'_>,
        visitor: Visitor<'_>,
        now: Option<Time>,
    ) -> ApiResponse {
        let answered = self.answered(request, visitor, now).await;
        let mut response = match answered {
            Ok(SiteAnswer::Page(page)) => match self.reader.browse.polling().await {
                Ok(Some(polling)) => page_of(200, layout::with_polling(page, polling)),
                _ => page_of(200, page),
            },
            Ok(SiteAnswer::See(location)) => {
                let mut response = page_of(303, String::new());
                response.headers.push(("location", location));
                response
            }
            Ok(SiteAnswer::File { media_type, name, body }) => ApiResponse {
                status: 200,
                headers: [
                    ("content-type", media_type.to_owned()),
                    ("content-disposition", format!("attachment; filename=\"{name}\"")),
                    ("cache-control", ASKED_AGAIN.to_owned()),
                ]
                .into_iter()
                .chain(secure_headers())
                .collect(),
                body: body.into_bytes(),
            },
            Ok(SiteAnswer::Asset(asset)) => ApiResponse {
                status: 200,
                headers: [("content-type", asset.media_type.to_owned()), ("cache-control", A_YEAR.to_owned())]
                    .into_iter()
                    .chain(secure_headers())
                    .collect(),
                body: asset.body.into(),
            },
            Err(problem) => {
                let mut response = page_of(problem.status, problem.page());
                response.headers.extend((problem.status == 405).then(|| ("allow", "GET, HEAD".to_owned())));
                response
            }
        };
        response.add_tag(request.if_none_match);
        if request.method == "HEAD" {
            response.body.clear();
        }
        response
    }

    async fn answered(
        &self,
        request: &WebRequest<'_>,
        visitor: Visitor<'_>,
        now: Option<Time>,
    ) -> Result<SiteAnswer, Problem> {
        if !matches!(request.method, "GET" | "HEAD") {
            let mut problem = Problem::asked("Pages are only read: accepted are GET and HEAD.".to_owned());
            problem.status = 405;
            return Err(problem);
        }
        if request.path.len() > PATH_BYTES_MAX || request.query.len() > QUERY_BYTES_MAX {
            let mut problem = Problem::asked(format!(
                "This address is too long. Accepted: {PATH_BYTES_MAX} bytes of path and {QUERY_BYTES_MAX} of query."
            ));
            problem.status = 414;
            return Err(problem);
        }
        let path = percent_encoding::percent_decode_str(request.path).decode_utf8();
        let path = path.map_err(|_| Problem::asked("This address is not UTF-8.".to_owned()))?;
        let query = Query::parse(request.query);
        if let Some(asset) = Asset::at(&path) {
            return Ok(SiteAnswer::Asset(asset));
        }
        let route = Route::of(&path);
        // These two show no home.
        let is_fixed = matches!(route, Some(Route::Definitions | Route::Api));
        let Some(now) = now.or(is_fixed.then(Time::default)) else { return Ok(SiteAnswer::Page(overview::empty())) };
        // Of figures. Homes, alerts and runs are shown as they are now.
        let as_of = query.as_of()?.unwrap_or(now);
        let reader = &self.reader;
        let page = match route.ok_or_else(|| Problem::missing("There is no such page.".to_owned()))? {
            Route::Overview => overview::page(reader, &query, as_of).await?,
            Route::Search => return Ok(SiteAnswer::See(search(reader, &query, now).await?)),
            Route::Area(area) => area::page(reader, area, &query, as_of, now).await?,
            Route::AreaDays(area) => {
                let body = area::days(reader, area, &query, as_of).await?;
                return Ok(SiteAnswer::File { media_type: "text/csv; charset=utf-8", name: "days.csv", body });
            }
            Route::Home(id) => home::page(reader, &HomeId(id.into()), visitor, now).await?,
            Route::Compare => compare::page(reader, &query, as_of).await?,
            Route::Alerts => alerts::page(reader, &query, now).await?,
            Route::Alert(id) => alerts::explained(reader, id, now).await?,
            Route::Quality => quality::page(reader, &query, now).await?,
            Route::Runs => runs::page(reader, visitor, now).await?,
            Route::Definitions => definitions::page(),
            Route::Api => api::page(),
        };
        Ok(SiteAnswer::Page(page))
    }
}

/// The address of what a person looks for: a home by its ID, or an area by its name.
async fn search(reader: &Reader<'_>, query: &Query, now: Time) -> Result<String, Problem> {
    let Some(text) = query.get("q") else { return Ok("/".to_owned()) };
    if text.contains('/') {
        let id = HomeId(text.into());
        if reader.home(&id).await?.is_some_and(|home| home.may_be_shown_at(now)) {
            return Ok(crate::text::home_href(&id));
        }
    }
    let found = read::find(reader, text).await?;
    Ok(format!("/areas/{}", crate::text::encoded(&found.path)))
}

/// The response with a page, or without content.
pub(crate) fn page_of(status: u16, page: String) -> ApiResponse {
    let headers = [("content-type", "text/html; charset=utf-8".to_owned()), ("cache-control", ASKED_AGAIN.to_owned())];
    ApiResponse { status, headers: headers.into_iter().chain(secure_headers()).collect(), body: page.into_bytes() }
}

fn secure_headers() -> impl Iterator<Item = (&'static str, String)> {
    HEADERS.into_iter().map(|(name, value)| (name, value.to_owned()))
}
