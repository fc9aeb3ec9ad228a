//! Which homes `stoop homes` lists, and in what order.

use super::*;
use stoop_serve::HomeSort;

/// The IDs of the homes that `stoop homes us/wa` lists with these options, and the total.
fn listed(options: &str, limit: usize) -> (Vec<String>, usize) {
    let line = ["stoop", "homes", "us/wa"].into_iter().chain(options.split_whitespace());
    let cli: crate::args::Cli = clap::Parser::try_parse_from(line).unwrap();
    let crate::args::Command::Homes(args) = cli.command else { panic!() };
    let homes = serde_json::to_value(Homes::read(&world().database, "us/wa", &args.wanted, limit).unwrap()).unwrap();
    let ids = homes["homes"].as_array().unwrap().iter().map(|home| home["id"].as_str().unwrap().to_owned());
    (ids.collect(), usize::try_from(homes["total"].as_u64().unwrap()).unwrap())
}

#[test]
fn homes_are_picked_by_status_type_beds_and_price() {
    let ids = |options: &str| listed(options, 40).0.join(" ");
    assert_eq!(ids("--status pending,closed --sort id"), "kc/1002 kc/1007");
    assert_eq!(ids("--type condominium --all --sort id"), "kc/1003 kc/1007");
    assert_eq!(ids("--beds 3 --sort id"), "kc/1001 kc/1004 kc/1005");
    assert_eq!(ids("--beds 4+ --all --sort id"), "kc/1002 kc/1006");
    assert_eq!(ids("--min-price 310000 --max-price 419900 --sort id"), "kc/1001 kc/1003");
    assert_eq!(ids("--min-price 310000.01 --max-price 419_899.99"), "");
}

#[test]
fn homes_are_sorted_as_requested_with_unknown_values_last() {
    let ids = |options: &str, limit| listed(options, limit);
    assert_eq!(ids("--sort price", 2), (vec!["kc/1003".into(), "kc/1001".into()], 5));
    assert_eq!(ids("--sort price --desc", 1).0, ["kc/1006"]);
    assert_eq!(ids("--sort age", 1).0, ["kc/1006"]);
    assert_eq!(ids("--sort cut --desc", 2).0, ["kc/1001", "kc/1003"]);
    assert_eq!(ids("--sort cut", 1).0, ["kc/1001"]);
    assert_eq!(ids("--all --sort event", 1).0, ["kc/1005"]);
    assert_eq!(ids("--sort id --desc", 1).0, ["kc/1006"]);
    let view =
        Homes::read(&world().database, "98178", &WantedArgs { sort: Some(HomeSort::Cut), ..active() }, 40).unwrap();
    assert!(view.draw(SCREEN).as_str().contains("UTC, by cut, least first\n"));
}

#[test]
fn incomparable_amounts_are_not_sorted() {
    let world = world();
    let mut twin = seen(&flat("1", Purpose::Sale, "Flat"), &[("2026-01-13T00:00:00Z", 1, Status::Active)]);
    twin[0].listing.currency = Currency::EUR;
    block_on(Measurer::new(&*world.database).measure(&twin)).unwrap();
    let by_price = WantedArgs { sort: Some(HomeSort::Price), ..active() };
    let error = is_usage(Homes::read(&world.database, "agadir", &by_price, 40));
    let said = "agadir has prices in several currencies, which don't compare; say agadir:EUR, agadir:MAD";
    assert_eq!(error, said);
    assert!(Homes::read(&world.database, "agadir:MAD", &by_price, 40).is_ok());
    let never = WantedArgs { min_price: Some(2.0), max_price: Some(1.0), ..active() };
    assert!(is_usage(Homes::read(&world.database, "98178", &never, 40)).contains("--min-price 2 is more than"));
}
