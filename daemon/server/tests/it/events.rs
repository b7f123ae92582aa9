//! Live events.

use queue::Target;
use serde_json::Value;

use crate::support::{Events, Served};
use crate::world::World;

#[test]
fn a_stream_replays_and_goes_on_live() {
    let (world, _) = World::small();
    let all = world
        .store
        .events(None, queue::Cursor::first(1000))
        .unwrap()
        .items;
    let served = Served::new(world);
    let mut stream = Events::open(&served, "?after=0", "");
    for row in &all {
        let event = stream.next().unwrap();
        assert_eq!(event.id, row.id.0);
        assert_eq!(event.kind, row.kind.as_str());
        assert_eq!(event.data["id"], row.id.0);
        assert_eq!(event.data["data"], row.data);
    }
    served
        .world
        .store
        .pause(Target::All, "user", "lunch")
        .unwrap();
    let event = stream.next().unwrap();
    assert_eq!(event.kind, "queue.paused");
    assert_eq!(event.data["data"]["reason"], "lunch");
    assert_eq!(event.id, all.last().unwrap().id.0 + 1);
}

#[test]
fn a_stream_starts_with_what_happens_next() {
    let (world, _) = World::small();
    let served = Served::new(world);
    let mut stream = Events::open(&served, "", "");
    served
        .world
        .store
        .pause(Target::All, "user", "lunch")
        .unwrap();
    assert_eq!(stream.next().unwrap().kind, "queue.paused");
}

#[test]
fn a_stream_is_resumed_where_it_broke_off() {
    let (world, _) = World::small();
    let last = world.store.last_event().0;
    let served = Served::new(world);
    // The browser repeats the old address and adds the header, which counts.
    let header = format!("last-event-id: {}\r\n", last - 2);
    let mut stream = Events::open(&served, "?after=0", &header);
    assert_eq!(stream.next().unwrap().id, last - 1);
    assert_eq!(stream.next().unwrap().id, last);
    served
        .get_with("/api/v1/events", &[("last-event-id", "x")])
        .problem(400, "invalid_event_id");
}

#[test]
fn a_stream_can_be_about_one_plate() {
    let (world, first) = World::small();
    let second = world.plate("other", 8, 12);
    let served = Served::new(world);
    let store = &served.world.store;
    let mut stream = Events::open(&served, &format!("?plate={second}"), "");
    store
        .pause(Target::Plate(first), "user", "not this")
        .unwrap();
    store.pause(Target::Plate(second), "user", "this").unwrap();
    let event = stream.next().unwrap();
    assert_eq!(event.data["plate"], second.0);
    assert_eq!(event.data["data"]["reason"], "this");
}

#[test]
fn a_client_of_another_queue_is_told_that_it_missed_something() {
    let (world, _) = World::small();
    let last = world.store.last_event().0;
    let served = Served::new(world);
    let mut stream = Events::open(&served, "?after=1000000", "");
    let gap = stream.next().unwrap();
    assert_eq!((gap.kind.as_str(), gap.id), ("gap", last));
    served.world.store.pause(Target::All, "user", "x").unwrap();
    assert_eq!(stream.next().unwrap().id, last + 1);
}

#[test]
fn many_events_come_in_order_to_many() {
    let world = World::new();
    let served = Served::new(world);
    let mut streams: Vec<_> = (0..8).map(|_| Events::open(&served, "", "")).collect();
    let first = served.world.store.last_event().0 + 1;
    let n = 600;
    for i in 0..n {
        served.world.plate(&format!("p{i}"), 2, 3);
    }
    for stream in &mut streams {
        for id in first..first + n {
            assert_eq!(stream.next().unwrap().id, id);
        }
    }
}

#[test]
fn events_are_also_a_list() {
    let (world, plate) = World::small();
    let served = Served::new(world);
    let json = [("accept", "application/json")];
    let page = served.get_with("/api/v1/events?limit=3", &json).json();
    assert_eq!(page["items"].as_array().unwrap().len(), 3);
    assert_eq!(page["items"][0]["kind"], "daemon.booted");
    let next = &page["next"];
    let rest = served
        .get_with(
            &format!("/api/v1/events?after={next}&limit=1000&plate={plate}"),
            &json,
        )
        .json();
    assert_eq!(rest["next"], Value::Null);
    let rest = rest["items"].as_array().unwrap();
    assert!(rest.iter().all(|event| event["plate"] == plate.0));
    assert!(rest.iter().any(|event| event["kind"] == "task.failed"));
}
