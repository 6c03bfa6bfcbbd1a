//! Models of three schemas: two of them have a table of the same name, and an enum lives beside its model.

use covet_orm::prelude::*;
use covet_orm::schema::Models;

/// In no schema of its own.
#[derive(Model, Clone, Debug, PartialEq)]
pub(super) struct Customer {
    #[covet(key)]
    pub(super) id: i64,
    #[covet(unique, max_len = 50)]
    pub(super) name: String,
    pub(super) invoices: HasMany<Invoice>,
}

#[derive(DbEnum, Clone, Copy, Debug, PartialEq, Eq)]
#[covet(schema = "billing")]
pub(super) enum InvoiceState {
    Open,
    Paid,
}

#[derive(Model, Clone, Debug, PartialEq)]
#[covet(schema = "billing")]
pub(super) struct Invoice {
    #[covet(key)]
    pub(super) id: i64,
    #[covet(references = Customer, on_delete = cascade)]
    pub(super) customer_id: i64,
    #[covet(unique, max_len = 20)]
    pub(super) number: String,
    #[covet(default = InvoiceState::Open)]
    pub(super) state: InvoiceState,
    #[covet(default = 0)]
    pub(super) cents: u32,
    pub(super) customer: BelongsTo<Customer>,
    pub(super) entries: HasMany<Entry>,
    pub(super) labels: ManyToMany<Label, InvoiceLabel>,
}

#[derive(Model, Clone, Debug, PartialEq)]
#[covet(schema = "billing", table = "entries")]
pub(super) struct Entry {
    #[covet(key)]
    pub(super) id: i64,
    #[covet(references = Invoice, on_delete = cascade)]
    pub(super) invoice_id: i64,
    pub(super) text: String,
    pub(super) invoice: BelongsTo<Invoice>,
}

/// Of the same table as [`Entry`], in another schema whose name needs quotes.
#[derive(Model, Clone, Debug, PartialEq)]
#[covet(schema = "The Log", table = "entries")]
pub(super) struct LogEntry {
    #[covet(key)]
    pub(super) id: i64,
    pub(super) text: String,
}

#[derive(Model, Clone, Debug, PartialEq)]
#[covet(schema = "The Log")]
pub(super) struct Label {
    #[covet(key)]
    pub(super) id: i64,
    pub(super) word: String,
    pub(super) invoices: ManyToMany<Invoice, InvoiceLabel>,
}

#[derive(Model, Clone, Debug, PartialEq)]
#[covet(schema = "billing", table = "a.b")]
pub(super) struct InvoiceLabel {
    #[covet(key, references = Invoice, on_delete = cascade)]
    pub(super) invoice_id: i64,
    #[covet(key, references = Label, on_delete = cascade)]
    pub(super) label_id: i64,
}

/// All of them, whatever else is linked into this program.
pub(super) fn all() -> Models {
    Models::registered().of_module(module_path!())
}
