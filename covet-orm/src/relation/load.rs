//! Loading: one statement for a relation of any number of rows.

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use covet_drivers::catalog::ColumnType;
use covet_drivers::contract::{BoxFuture, Flow, Row};
use covet_drivers::sql::{BinaryOp, Join, Many, Node, Order, Ref, Select};
use covet_drivers::value::{Value, ValueRef};
use covet_drivers::{Error, ErrorKind, Result};

use crate::db::Executor;
use crate::model::{ColumnMeta, Model};
use crate::query::{Query, columns_of};
use crate::relation::RelationMeta;
use crate::relation::handle::FieldOf;

/// Something that can be loaded into rows of the model `M`.
#[diagnostic::on_unimplemented(
    message = "this cannot be included in a query over `{M}`",
    label = "a relation of `{M}` is wanted here"
)]
pub trait Include<M>: Loads<M> {
    /// `M`; see [`Condition::Over`](crate::query::Condition::Over).
    type Over;

    /// The query that loads it too.
    #[doc(hidden)]
    fn included(self, query: Query<M>) -> Query<Self::Over>;
}

#[diagnostic::do_not_recommend]
impl<M: Model, L: Loads<M> + 'static> Include<M> for L {
    type Over = M;

    fn included(self, query: Query<M>) -> Query<M> {
        query.with(self)
    }
}

/// A relation of this model exactly.
#[doc(hidden)]
pub trait Loads<M>: Send + Sync {
    /// Loads it.
    ///
    /// # Errors
    /// Those of the database.
    fn load<'a>(&'a self, rows: &'a mut [M], on: &'a Executor) -> BoxFuture<'a, Result<()>>;
}

/// Everything that a query loads beside its rows.
pub struct Includes<M>(Vec<Arc<dyn Loads<M>>>);

impl<M: Model> Includes<M> {
    pub(crate) fn new() -> Self {
        Includes(Vec::new())
    }

    pub(crate) fn add(&mut self, include: impl Loads<M> + 'static) {
        self.0.push(Arc::new(include));
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(crate) async fn load(&self, rows: &mut [M], on: &Executor) -> Result<()> {
        for include in &self.0 {
            include.load(rows, on).await?;
        }
        Ok(())
    }
}

impl<M> Clone for Includes<M> {
    fn clone(&self) -> Self {
        Includes(self.0.clone())
    }
}

impl<M> fmt::Debug for Includes<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Includes({})", self.0.len())
    }
}

/// The most keys of one statement; more go in several.
const MOST_KEYS: usize = 1024;

/// The most keys of a statement that asks of each row, and of each key, whether they are equal.
const MOST_ASKED: usize = 16;

/// Loads a relation of all the rows and puts what was found into their fields.
///
/// Rows that share a key (posts of one author) each get a row of their own: it is decoded once for
/// each of them, so that a model need not be `Clone`.
pub(crate) async fn load<M: Model, R: Model>(
    meta: &'static RelationMeta,
    field: impl FieldOf<M, R>,
    rows: &mut [M],
    on: &Executor,
) -> Result<()> {
    let mut wanted: HashMap<HashKey, Wanted<R>> = HashMap::new();
    let (mut values, mut odd) = (Vec::new(), Vec::new());
    let mut own = Vec::with_capacity(rows.len());
    for row in rows.iter() {
        let value = row.get(meta.own.index)?;
        let key = hash_key(value.lend(), key_column(meta))?;
        if let Some(key) = &key {
            let wanted = wanted.entry(key.clone()).or_default();
            if wanted.sharers.is_empty() {
                let list = if matches!(key, HashKey::Odd(_)) { &mut odd } else { &mut values };
                list.push(value);
            }
            wanted.sharers.push(Vec::new());
        }
        own.push(key);
    }
    let mut asked: Vec<&[Value]> = odd.chunks(MOST_ASKED).collect();
    for keys in values.chunks(MOST_KEYS.min(on.capabilities().max_parameters)) {
        if !fetch(meta, keys, &mut wanted, on).await? {
            // A row belongs to one of the keys, and only the database knows to which.
            for key in keys {
                if let Some(wanted) = hash_key(key.lend(), key_column(meta))?.and_then(|key| wanted.get_mut(&key)) {
                    wanted.sharers.iter_mut().for_each(Vec::clear);
                }
            }
            asked.extend(keys.chunks(MOST_ASKED));
        }
    }
    for keys in asked {
        fetch_asking(meta, keys, &mut wanted, on).await?;
    }
    for (row, key) in rows.iter_mut().zip(own) {
        let related = key.and_then(|key| wanted.get_mut(&key)?.sharers.pop());
        field.fill(row, related.unwrap_or_default(), meta)?;
    }
    Ok(())
}

/// The rows found for one key, once for each row that has the key.
struct Wanted<R> {
    sharers: Vec<Vec<R>>,
}

impl<R: Model> Wanted<R> {
    /// Gives the row to everybody: each gets a copy, of which the last may take what the row holds.
    fn take(&mut self, row: &mut Row<'_>) -> Result<()> {
        let mut sharers = self.sharers.iter_mut();
        let last = sharers.next_back();
        for sharer in sharers {
            sharer.push(R::decode(&mut Row::new(&mut row.shared()), 0)?);
        }
        if let Some(sharer) = last {
            sharer.push(R::decode(row, 0)?);
        }
        Ok(())
    }
}

impl<R> Default for Wanted<R> {
    fn default() -> Self {
        Wanted { sharers: Vec::new() }
    }
}

/// The column that the keys are compared with.
fn key_column(meta: &'static RelationMeta) -> &'static ColumnMeta {
    meta.through.as_ref().map_or(meta.theirs, |through| through.own)
}

/// Fetches the rows of some keys, of which each row's own text says whose it is. `false` when there is one whose text
/// is none of the keys, and still the database found it equal to one.
async fn fetch<R: Model>(
    meta: &'static RelationMeta,
    keys: &[Value],
    wanted: &mut HashMap<HashKey, Wanted<R>>,
    on: &Executor,
) -> Result<bool> {
    let column = key_column(meta);
    let key = key_node(meta);
    let select = select_of::<R>(meta, padded(keys), vec![key]);
    let at = R::COLUMNS.len();
    let mut told_apart = true;
    on.run(&select.into(), &mut |row: &mut Row<'_>| {
        let Some(key) = hash_key(column.place(row.value(at, column.ty))?, column)? else { return Ok(Flow::Continue) };
        match (&key, wanted.get_mut(&key)) {
            // Were it wanted too, it would be by a statement of its own.
            (HashKey::Odd(_), _) | (_, None) => told_apart = false,
            (_, Some(wanted)) => wanted.take(row)?,
        }
        Ok(Flow::Continue)
    })
    .await
    .map_err(|error| R::meta().at(error))?;
    Ok(told_apart)
}

/// Fetches the rows of some keys, and the database says of each row which of the keys it equals.
async fn fetch_asking<R: Model>(
    meta: &'static RelationMeta,
    keys: &[Value],
    wanted: &mut HashMap<HashKey, Wanted<R>>,
    on: &Executor,
) -> Result<()> {
    let column = key_column(meta);
    let nodes = padded(keys);
    let equals = |key: &Node| Node::binary(BinaryOp::Eq, key_node(meta), key.clone());
    let questions = nodes.iter().map(equals).collect();
    let select = select_of::<R>(meta, nodes, questions);
    let keys: Vec<Option<HashKey>> = keys.iter().map(|key| hash_key(key.lend(), column)).collect::<Result<_>>()?;
    let at = R::COLUMNS.len();
    on.run(&select.into(), &mut |row: &mut Row<'_>| {
        for (index, key) in keys.iter().enumerate() {
            if row.get::<Option<bool>>(at + index, &ColumnType::Bool)? == Some(true)
                && let Some(wanted) = key.as_ref().and_then(|key| wanted.get_mut(key))
            {
                wanted.take(&mut Row::new(&mut row.shared()))?;
            }
        }
        Ok(Flow::Continue)
    })
    .await
    .map_err(|error| R::meta().at(error))?;
    Ok(())
}

/// The key in the rows that are fetched.
fn key_node(meta: &'static RelationMeta) -> Node {
    match &meta.through {
        None => Node::column(meta.theirs.column),
        Some(through) => Node::Column { up: 0, source: 1, name: through.own.column },
    }
}

/// The rows of some keys, and behind their columns what says whose they are.
fn select_of<R: Model>(meta: &'static RelationMeta, keys: Vec<Node>, whose: Vec<Node>) -> Select {
    let mut columns: Vec<Node> = columns_of::<R>().to_vec();
    columns.extend(whose);
    let mut select = Select::new(R::TABLE, columns);
    if let Some(through) = &meta.through {
        let linked = Node::Column { up: 0, source: 1, name: through.theirs.column };
        let on = Node::binary(BinaryOp::Eq, linked, Node::column(meta.theirs.column));
        select.joins = Many::from(vec![Join { table: (through.model)().table, on }]);
    }
    select.filter = Some(Node::In(Ref::new(key_node(meta)), Many::from(keys)));
    select.order = R::meta()
        .key_columns()
        .map(|column| Order { node: Node::column(column.column), descending: false, nulls: None, nullable: false })
        .collect();
    select
}

/// The keys, with the last one repeated up to a power of two: few texts, so that statements stay prepared.
fn padded(keys: &[Value]) -> Vec<Node> {
    let most = keys.len().next_power_of_two().min(MOST_KEYS.max(keys.len()));
    keys.iter()
        .chain(std::iter::repeat_n(keys, most - keys.len()).filter_map(|keys| keys.last()))
        .cloned()
        .map(Node::Value)
        .collect()
}

/// A key value that can be looked up.
#[derive(Clone, PartialEq, Eq, Hash)]
enum HashKey {
    Int(i128),
    Text(String),
    /// A text that is compared without case and is not plain: what equals it, each database knows in its own way
    /// (`ß` and `ss`, wide letters, accents in two ways to write them, characters that count for nothing).
    Odd(String),
    Bytes(Vec<u8>),
}

/// Whether every database agrees with every other about what equals the text without case.
fn is_plain(text: &str) -> bool {
    // Blanks at the end count in some collations, and in others not.
    !text.ends_with(' ') && text.bytes().all(|byte| matches!(byte, b' '..=b'~'))
}

/// The value as a key; `None` for NULL.
fn hash_key(value: ValueRef<'_>, column: &'static ColumnMeta) -> Result<Option<HashKey>> {
    Ok(Some(match value {
        ValueRef::Null => return Ok(None),
        ValueRef::Bool(v) => HashKey::Int(i128::from(v)),
        ValueRef::Int(v) | ValueRef::Time(v) | ValueRef::DateTime(v) | ValueRef::Timestamp(v) => HashKey::Int(v.into()),
        ValueRef::UInt(v) => HashKey::Int(v.into()),
        ValueRef::Date(v) => HashKey::Int(v.into()),
        // The database compares such keys without case, so a look-up must do so too.
        ValueRef::Text(v) if column.case_insensitive && is_plain(v) => HashKey::Text(v.to_ascii_lowercase()),
        ValueRef::Text(v) if column.case_insensitive => HashKey::Odd(v.to_owned()),
        ValueRef::Text(v) | ValueRef::Label(v) => HashKey::Text(v.to_owned()),
        ValueRef::Bytes(v) => HashKey::Bytes(v.to_owned()),
        ValueRef::Uuid(v) => HashKey::Bytes(v.to_vec()),
        ValueRef::Decimal(v) => HashKey::Int(v.mantissa()),
        ValueRef::Float32(_) | ValueRef::Float(_) | ValueRef::Json(_) => {
            let error = Error::new(ErrorKind::Unsupported, format!("{} cannot be the key of a relation", value.kind()));
            return Err(column.at(error));
        }
    }))
}
