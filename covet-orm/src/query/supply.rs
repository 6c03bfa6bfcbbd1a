//! The rows of a bulk insert on their way from the user's iterator to the database.

use std::collections::VecDeque;

use covet_drivers::contract::{Part, RowSupply, in_row};
use covet_drivers::sql::{Many, Node};
use covet_drivers::value::{Value, ValueWriter};
use covet_drivers::{Capabilities, Error, Result, sql};

use crate::model::{ColumnMeta, Model};
use crate::query::Insert;
use crate::query::absent::absent;
use crate::query::insert::Slot;

/// The user's rows.
pub(super) type Rows<'a, M> = Box<dyn Iterator<Item = Insert<M>> + Send + 'a>;

/// Inserts of so many rows are looked at as a whole to know which columns are given. Larger ones are taken to
/// be of one kind, until a row is not: holding many rows costs more than sending them.
const FEW: usize = 64;

/// So many rows are looked at when they are not of one kind, or as many as have so many bytes.
const AHEAD: usize = 1000;
const BYTES: usize = 1 << 20;

/// The rows, looked at and cut into parts that give the same columns.
pub(super) struct Supply<'a, M> {
    rows: Rows<'a, M>,
    /// Rows that were pulled and not handed on, and the bytes that they keep.
    ahead: VecDeque<Insert<M>>,
    /// The number of rows pulled.
    pulled: u64,
    ended: bool,
    /// What the rows of this part write into each column of the model.
    writes: Vec<Write>,
    /// The columns of this part, one bit each, where there are no more than 64 in the model.
    mask: Option<u64>,
    /// The most values of one statement.
    most: usize,
    /// How many rows are looked at before a part.
    look: usize,
    /// Whether Covet gives columns of its own to a row.
    fills: bool,
    /// Whether `DEFAULT` can stand in a row.
    defaults: bool,
}

/// What the rows of a part write into a column.
enum Write {
    /// Nothing: the column is not among those of the part.
    Nothing,
    /// What is given, or this.
    Or(Value),
    /// What is given; without it a row does not belong to the part.
    Given,
}

impl<'a, M: Model> Supply<'a, M> {
    pub(super) fn new(rows: Rows<'a, M>, can: &Capabilities) -> Self {
        let look = if rows.size_hint().1.is_some_and(|rows| rows <= FEW) { FEW } else { 1 };
        let meta = M::meta();
        let times = meta.created_at.is_some() || meta.updated_at.is_some();
        let fills = times || M::COLUMNS.iter().any(|column| column.new_uuid);
        Supply {
            rows,
            ahead: VecDeque::new(),
            pulled: 0,
            ended: false,
            writes: Vec::new(),
            mask: None,
            most: can.max_parameters,
            look,
            fills,
            defaults: can.default_as_value,
        }
    }

    /// Whether there is no row.
    pub(super) fn is_empty(&mut self) -> Result<bool> {
        self.look(1)?;
        Ok(self.ahead.is_empty())
    }

    /// An error with model and field.
    pub(super) fn place(error: Error) -> Error {
        M::meta().at(error)
    }

    /// The next row.
    pub(super) fn row(&mut self) -> Result<Option<Insert<M>>> {
        match self.ahead.pop_front() {
            Some(row) => Ok(Some(row)),
            None => self.pull(),
        }
    }

    /// The next rows as one insert, of as many as it may have. A column that some of them give and
    /// others do not is written in all of them.
    pub(super) fn insert(&mut self, returning: &Many<&'static str>) -> Result<Option<sql::Insert>> {
        self.look(AHEAD)?;
        if self.ahead.is_empty() {
            return Ok(None);
        }
        let alike = self.alike();
        let used = self.used(alike);
        // A row without a column can only stand alone.
        let most = self.most.checked_div(used.len()).map_or(1, |rows| rows.clamp(1, AHEAD));
        let rows = alike.min(most);
        let nodes = |row: Insert<M>| {
            let mut slots = row.slots;
            let node = |column: &&'static ColumnMeta| {
                let given = slots.get_mut(column.index).map(|slot| std::mem::replace(slot, Slot::Absent));
                given.and_then(Slot::into_node).unwrap_or_else(|| absent(column))
            };
            used.iter().map(node).collect()
        };
        Ok(Some(sql::Insert {
            table: M::TABLE,
            columns: used.iter().map(|column| column.column).collect(),
            rows: self.ahead.drain(..rows).map(nodes).collect(),
            conflict: None,
            returning: returning.clone(),
        }))
    }

    /// The columns that one of so many rows ahead gives.
    fn used(&self, rows: usize) -> Vec<&'static ColumnMeta> {
        let given = |column: &&'static ColumnMeta| self.ahead.iter().take(rows).any(|row| gives(row, column));
        M::COLUMNS.iter().filter(given).collect()
    }

    /// How many of the rows ahead can be one insert: where `DEFAULT` cannot stand in a row, those that leave the same
    /// columns to the database.
    fn alike(&self) -> usize {
        let Some(first) = self.ahead.front().filter(|_| !self.defaults) else { return self.ahead.len() };
        let left: Vec<_> = M::COLUMNS.iter().filter(|column| matches!(absent(column), Node::Default)).collect();
        let same = |row: &&Insert<M>| left.iter().all(|column| gives(row, column) == gives(first, column));
        self.ahead.iter().take_while(same).count()
    }

    /// Pulls rows until there are so many ahead.
    fn look(&mut self, rows: usize) -> Result<()> {
        let mut bytes = 0;
        while self.ahead.len() < rows && bytes < BYTES {
            let Some(row) = self.pull()? else { break };
            bytes += row.slots.iter().map(heap).sum::<usize>();
            self.ahead.push_back(row);
        }
        Ok(())
    }

    /// Pulls a row from the iterator. A value that was refused when it was given is refused here.
    fn pull(&mut self) -> Result<Option<Insert<M>>> {
        let row = self.take();
        if let Some(row) = &row {
            self.accept(row)?;
        }
        Ok(row)
    }

    /// The next row of the iterator, whatever is in it.
    fn take(&mut self) -> Option<Insert<M>> {
        if self.ended {
            return None;
        }
        let Some(mut row) = self.rows.next() else {
            self.ended = true;
            return None;
        };
        self.pulled += 1;
        if self.fills {
            row.fill();
        }
        Some(row)
    }

    /// Refuses the row that was pulled last, if it holds what was refused when it was given.
    fn accept(&self, row: &Insert<M>) -> Result<()> {
        for slot in &row.slots {
            if let Slot::Node(node) = slot
                && let Node::Refused(error) = &**node
            {
                return Err(in_row(error.again(), self.pulled, None));
            }
        }
        Ok(())
    }

    /// Whether the row has nothing but values, for the columns of the part.
    #[inline]
    fn belongs(&self, row: &Insert<M>) -> bool {
        // Mostly rows give exactly the columns of the part.
        (Some(row.values) == self.mask && !row.nodes) || self.fits(row)
    }

    fn fits(&self, row: &Insert<M>) -> bool {
        row.slots.iter().zip(&self.writes).all(|(slot, write)| match (slot, write) {
            (Slot::Value(_), Write::Or(_) | Write::Given) | (Slot::Absent, Write::Or(_) | Write::Nothing) => true,
            (Slot::Node(_), _) | (Slot::Value(_), Write::Nothing) | (Slot::Absent, Write::Given) => false,
        })
    }
}

impl<M: Model> RowSupply for Supply<'_, M> {
    fn part(&mut self) -> Result<Option<Part>> {
        self.look(self.look)?;
        if self.ahead.is_empty() {
            return Ok(None);
        }
        let alike = self.alike();
        let used = self.used(alike);
        let mut all = used.iter().copied().peekable();
        self.writes = M::COLUMNS
            .iter()
            .map(|column| match all.next_if(|used| used.index == column.index).map(absent) {
                None => Write::Nothing,
                Some(Node::Value(value)) => Write::Or(value),
                Some(_) => Write::Given,
            })
            .collect();
        let few = M::COLUMNS.len() <= 64;
        self.mask = few.then(|| used.iter().fold(0, |mask, column| mask | 1 << column.index));
        if self.ahead.iter().take(alike).all(|row| self.belongs(row)) {
            return Ok(Some(Part::Rows(used.iter().map(|column| column.column).collect())));
        }
        // An expression: those around it go with it.
        self.look = AHEAD;
        Ok(self.insert(&Many::EMPTY)?.map(|insert| Part::Insert(Box::new(insert))))
    }

    fn next(&mut self, to: &mut dyn ValueWriter) -> Result<bool> {
        let row = match self.ahead.pop_front() {
            Some(row) => row,
            None => match self.take() {
                Some(row) => row,
                None => return Ok(false),
            },
        };
        if !self.belongs(&row) {
            self.accept(&row)?;
            self.look = AHEAD;
            self.ahead.push_front(row);
            return Ok(false);
        }
        if Some(row.values) == self.mask {
            for slot in row.slots {
                if let Slot::Value(value) = slot {
                    to.give(value)?;
                }
            }
            return Ok(true);
        }
        for (slot, write) in row.slots.into_iter().zip(&self.writes) {
            match (slot, write) {
                (Slot::Value(value), _) => to.give(value)?,
                (_, Write::Or(value)) => to.lend(value.lend())?,
                (_, Write::Nothing | Write::Given) => {}
            }
        }
        Ok(true)
    }

    fn at_least(&self) -> usize {
        self.ahead.len() + self.rows.size_hint().0
    }
}

/// Whether the row gives the column.
fn gives<M>(row: &Insert<M>, column: &ColumnMeta) -> bool {
    !matches!(row.slots.get(column.index), None | Some(Slot::Absent))
}

/// The bytes that a slot keeps outside of itself, about.
fn heap(slot: &Slot) -> usize {
    match slot {
        Slot::Value(Value::Text(v) | Value::Json(v)) => v.len(),
        Slot::Value(Value::Bytes(v)) => v.len(),
        Slot::Value(_) | Slot::Absent => 0,
        Slot::Node(_) => size_of::<Node>(),
    }
}
