//! What every adapter must pass, on PostgreSQL.

use covet_drivers::Result;
use covet_drivers::conformance::Setup;

use crate::postgres::Place;

async fn fresh() -> Result<Option<Setup>> {
    let Some(place) = Place::new().await else { return Ok(None) };
    Ok(Some(Setup::new(place.url("")).with_cleanup(async move { drop(place) })))
}

covet_drivers::conformance!(fresh);
