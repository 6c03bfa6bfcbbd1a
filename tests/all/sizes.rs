//! Futures stay small: a large one is copied when it moves, and a debug build keeps one for each await of a function
//! on the stack.

use covet_orm::prelude::*;
use covet_tests::models::{Setting, User};

/// The most bytes that the future of one statement takes.
const MOST: usize = 3584;

#[tokio::test]
async fn futures_are_small() {
    let db = Db::connect("sqlite::memory:").await.unwrap();
    let setting = || Setting::create().name("a").value("b");
    for (name, size) in [
        ("acquire", size_of_val(&db.acquire())),
        ("find", size_of_val(&User::find(1).one(&db))),
        ("all", size_of_val(&User::query().all(&db))),
        ("create", size_of_val(&setting().exec(&db))),
        ("insert_many", size_of_val(&Setting::insert_many([setting()]).exec(&db))),
    ] {
        println!("{name}: {size} bytes");
        assert!(size <= MOST, "{name} takes {size} bytes");
    }
}
