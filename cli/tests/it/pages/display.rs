//! What sources let be shown, on pages and in the API.

use super::served::RunningServer;
use crate::support::{MAP, Room, text};

#[test]
fn what_may_not_be_shown_counts_and_is_not_shown() {
    let room = Room::new();
    let fields = "title = { from = \"title\" }\nline = { from = \"title\" }\nurl = { from = \"link\" }\ndisplay = { from = \"all\" }\n\
                  display_address = { from = \"address\" }\nregion = { constant = \"NV\" }\n";
    room.write("made.toml", format!("{MAP}{fields}"));
    let row = |id: u32, price: u32, all: &str, address: &str| {
        format!(
            "{id},2026-03-01T08:00:00Z,{},Reno,{id} Secret St,https://homes.example/{id},{all},{address}\n",
            price + 200_000
        ) + &format!(
            "{id},2026-03-02T08:00:00Z,{price},Reno,{id} Secret St,https://homes.example/{id},{all},{address}\n"
        )
    };
    let head = "id,seen,price,city,title,link,all,address\n".to_owned();
    let rows = head
        + &row(1, 400_000, "Y", "true")
        + &row(2, 410_000, "N", "true")
        + &row(3, 420_000, "yes", "0")
        + &row(4, 430_000, "", "");
    room.replay("made.toml", &[room.write("homes.csv", rows)]);
    let served = RunningServer::start(&room);
    let market = &room.json(&["market", "reno"])["markets"][0];
    assert_eq!(market["active"], 4, "all of them are homes of the market");
    let area = served.page(&format!("/areas/{}", text(&market["path"])));
    assert!(area.contains("/homes/made/3") && area.contains("$420,000") && !area.contains("/homes/made/2"), "{area}");
    let json = served.json("/api/v1/homes?area=reno").to_string();
    for page in [area, json, served.page("/"), served.page("/alerts"), served.page("/homes/made/3")] {
        assert!(!page.contains("2 Secret St") && !page.contains("3 Secret St"), "{page}");
        assert!(!page.contains("homes.example/2") && !page.contains("homes.example/3"), "{page}");
    }
    assert!(
        served.page("/homes/made/1").contains("1 Secret St") && served.page("/homes/made/4").contains("4 Secret St")
    );
    assert_eq!(served.get("/homes/made/2").status, 404);
    assert_eq!(served.get("/search?q=made/2").status, 404, "as if there were none");
    assert_eq!(served.get("/api/v1/homes/made%2F2").status, 404);
}

#[test]
fn earlier_prices_estimates_and_sold_homes_are_shown_where_allowed() {
    let room = Room::new();
    let fields = "line = { from = \"title\" }\nliving_area = { from = \"sqm\", unit = \"m2\" }\nstatus = { from = \"status\" }\n\
                  display_history = { from = \"history\" }\ndisplay_estimate = { from = \"estimate\" }\n\
                  display_expired = { from = \"expired\" }\nregion = { constant = \"NV\" }\n\
                  property_type = { constant = \"Condominium\" }\nbedrooms = { constant = \"2\" }\n";
    room.write("made.toml", format!("{MAP}{fields}"));
    let mut rows = "id,seen,price,city,title,sqm,status,history,estimate,expired\n".to_owned();
    for (id, now, words) in
        [(1, "Active", "Y,Y,Y"), (2, "Active", "N,N,N"), (3, "Closed", "Y,Y,N"), (4, "Closed", ",,")]
    {
        rows += &format!("{id},2026-03-01T08:00:00Z,600000,Reno,{id} Main St,100,Active,{words}\n");
        rows += &format!("{id},2026-03-02T08:00:00Z,487000,Reno,{id} Main St,100,{now},{words}\n");
    }
    for id in 11..20 {
        rows += &format!("{id},2026-03-01T08:00:00Z,600000,Reno,{id} Main St,100,Active,,,\n");
    }
    room.replay("made.toml", &[room.write("homes.csv", rows)]);
    let served = RunningServer::start(&room);
    let home = |id: u32| served.json(&format!("/api/v1/homes/made%2F{id}"));
    let (open, closed) = (home(1), home(2));
    assert_eq!((open["intervals_total"].as_i64(), open["last_change"].is_null()), (Some(2), false));
    assert!(open["versus_market"].is_number(), "{open}");
    assert_eq!((closed["intervals_total"].as_i64(), closed["events_total"].as_i64()), (Some(1), Some(0)));
    assert!(closed["last_event_at"].is_null() && !open["last_event_at"].is_null(), "{closed}");
    assert!(closed["last_change"].is_null() && closed["versus_market"].is_null(), "{closed}");
    assert!(!closed["intervals"].to_string().contains("600000"), "{closed}");
    let page = served.page("/homes/made/2");
    assert!(page.contains("earlier prices are not shown here"), "{page}");
    assert!(page.contains("$487,000") && !page.contains("$600,000") && !page.contains("of its kind"), "{page}");
    assert!(served.page("/homes/made/1").contains("$600,000"));
    let listed = served.json("/api/v1/homes?area=reno");
    let change = |at: usize| listed["homes"][at]["last_change"].clone();
    assert!(
        listed["homes"][0]["id"] != listed["homes"][1]["id"] && change(0).is_null() != change(1).is_null(),
        "{listed}"
    );
    assert_eq!(served.get("/api/v1/homes/made%2F3").status, 404, "sold, and then not to be shown");
    assert_eq!(served.get("/homes/made/4").status, 200, "sold, and nobody forbade it");
}
