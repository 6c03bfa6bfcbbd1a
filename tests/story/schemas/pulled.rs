// Written by `cargo covet db pull` from a database of postgres.

use covet_orm::prelude::*;

#[derive(DbEnum, Clone, Copy, Debug, PartialEq, Eq)]
#[covet(name = "state", schema = "billing")]
pub enum State {
    Open,
    Paid,
}

#[derive(Model, Clone, Debug)]
#[covet(table = "entries")]
#[covet(schema = "billing")]
pub struct BillingEntry {
    #[covet(key)]
    pub id: i64,
    #[covet(references = Invoice)]
    pub invoice_id: i64,
    pub invoice: BelongsTo<Invoice>,
}

#[derive(Model, Clone, Debug)]
#[covet(table = "invoices")]
#[covet(schema = "billing")]
pub struct Invoice {
    #[covet(key)]
    pub id: i64,
    #[covet(references = Customer, on_delete = cascade)]
    pub customer_id: i64,
    #[covet(default = State::Open)]
    pub state: State,
    #[covet(max_len = 20, unique, check = "(((number)::text <> ''::text))")]
    pub number: String,
    pub customer: BelongsTo<Customer>,
    pub billing_entries: HasMany<BillingEntry>,
}

#[derive(Model, Clone, Debug)]
#[covet(table = "customers")]
pub struct Customer {
    #[covet(key)]
    pub id: i64,
    pub name: String,
    pub invoices: HasMany<Invoice>,
}

#[derive(Model, Clone, Debug)]
#[covet(table = "entries")]
pub struct Entry {
    #[covet(key)]
    pub id: i64,
}

// The database has more, of which models say nothing; migrations leave it as it is:
// - schema apart: tables: 1
// - view billing.large
