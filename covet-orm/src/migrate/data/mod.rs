//! Steps of a migration that are written in Rust: where they are named, what they get, who knows them.
//!
//! A script names one on a line of its own, `-- covet:rust full_names`, between its statements. The program that runs the
//! migration must know a function of that name; else nothing is run at all.

mod values;

use std::collections::BTreeMap;
use std::fmt;
use std::pin::Pin;

use covet_drivers::contract::{Command, Connection, Flow, Reuse, Row, Step};
use covet_drivers::render::Dialect;
use covet_drivers::sql::marked;
use covet_drivers::value::Value;
use covet_drivers::{Error, ErrorKind, Result};

use crate::migrate::cause::Cause;
use crate::migrate::files::Script;
use crate::migrate::runner::told;

pub use values::{FromRow, Values};

/// What a step in Rust gives.
pub type DataFuture<'d> = Pin<Box<dyn Future<Output = Result<()>> + Send + 'd>>;

/// A function that is a step in Rust.
pub type DataFn = for<'d> fn(Data<'d>) -> DataFuture<'d>;

/// A step in Rust that [`data_step!`](crate::data_step) made known.
#[derive(Clone, Copy)]
pub struct DataStep {
    name: &'static str,
    run: DataFn,
}

inventory::collect!(DataStep);

impl DataStep {
    /// A function, under the name that scripts have for it.
    #[must_use]
    pub const fn new(name: &'static str, run: DataFn) -> Self {
        DataStep { name, run }
    }
}

impl fmt::Debug for DataStep {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "DataStep({})", self.name)
    }
}

/// Makes an `async fn(Data<'_>) -> Result<()>` known as a step of migrations, under its own name, to everything in the
/// program that runs migrations, and to `cargo covet migrate up`.
///
/// ```
/// use covet_orm::Result;
/// use covet_orm::migrate::Data;
///
/// async fn full_names(mut data: Data<'_>) -> Result<()> {
///     for (id, first, last) in data.rows::<(i64, String, String)>("SELECT id, first, last FROM users", ()).await? {
///         let full = format!("{first} {last}");
///         data.execute("UPDATE users SET full_name = $1 WHERE id = $2", (full, id)).await?;
///     }
///     Ok(())
/// }
/// covet_orm::data_step!(full_names);
/// ```
#[macro_export]
macro_rules! data_step {
    ($function:ident) => {
        $crate::__private::inventory::submit! {
            $crate::migrate::DataStep::new(::core::stringify!($function), |data| ::std::boxed::Box::pin($function(data)))
        }
    };
}

/// The database, as a step in Rust has it: in the transaction that the step shares with its note.
///
/// It speaks SQL and knows no models, because models are those of today, and a migration meets the schema of its day.
#[derive(Debug)]
pub struct Data<'d> {
    connection: &'d mut dyn Connection,
    dialect: &'static dyn Dialect,
}

impl Data<'_> {
    /// Which kind of database it is: `postgres`, `mysql`, `sqlite`.
    #[must_use]
    pub fn database(&self) -> &'static str {
        self.dialect.name()
    }

    /// Runs a statement, and gives the number of rows that it changed. `$1`, `$2` … stand for the values, on every
    /// database; a value is one of a tuple.
    ///
    /// # Errors
    /// The database's; `InvalidInput` for a value that is missing or stands for nothing.
    pub async fn execute(&mut self, sql: &str, values: impl Values) -> Result<u64> {
        let values = values.values()?;
        let (sql, args) = self.marked(sql, &values)?;
        Ok(self.connection.run(Command { sql: &sql, args: &args, reuse: Reuse::Keep }, &mut ()).await?.affected)
    }

    /// The rows that a statement gives, as tuples. Of a large table take a part at a time, by its key.
    ///
    /// # Errors
    /// As [`execute`](Data::execute), and `Decode` for what the tuple cannot hold.
    pub async fn rows<T: FromRow>(&mut self, sql: &str, values: impl Values) -> Result<Vec<T>> {
        let values = values.values()?;
        let (sql, args) = self.marked(sql, &values)?;
        let mut found = Vec::new();
        let mut take = |row: &mut Row<'_>| {
            found.push(T::from_row(row)?);
            Ok(Flow::Continue)
        };
        self.connection.run(Command { sql: &sql, args: &args, reuse: Reuse::Keep }, &mut take).await?;
        Ok(found)
    }

    fn marked<'v>(&self, sql: &str, values: &'v [Value]) -> Result<(String, Vec<&'v Value>)> {
        marked(sql, values, self.dialect.quoting(), |number, out| self.dialect.placeholder(number, out))
    }
}

/// The steps in Rust that a runner knows.
#[derive(Clone)]
pub(in crate::migrate) struct DataSteps(BTreeMap<String, Vec<DataFn>>);

impl DataSteps {
    /// Those that are linked into the program.
    pub(in crate::migrate) fn registered() -> Self {
        let mut steps = DataSteps(BTreeMap::new());
        for step in inventory::iter::<DataStep> {
            steps.add(*step);
        }
        steps
    }

    pub(in crate::migrate) fn add(&mut self, step: DataStep) {
        self.0.entry(step.name.to_owned()).or_default().push(step.run);
    }

    /// Whether all steps of a script are known, which is asked before anything is run.
    ///
    /// # Errors
    /// `Migration`, naming a step that is not, or that two functions are called.
    pub(in crate::migrate) fn know(&self, script: &Script) -> Result<()> {
        script.rust().try_for_each(|name| self.function(name).map(drop))
    }

    /// A step of a script that is not known.
    #[cfg(feature = "cli")]
    pub(in crate::migrate) fn unknown(&self, script: &Script) -> Option<String> {
        script.rust().find(|name| !self.0.contains_key(*name)).map(str::to_owned)
    }

    /// Runs a step.
    ///
    /// # Errors
    /// The function's, with its name.
    pub(in crate::migrate) async fn run(
        &self,
        name: &str,
        connection: &mut dyn Connection,
        dialect: &'static dyn Dialect,
    ) -> Result<()> {
        let run = self.function(name)?;
        run(Data { connection, dialect }).await.map_err(|error| {
            let message = format!("the step `{name}` in Rust: {}", error.message());
            told(error, message)
        })
    }

    fn function(&self, name: &str) -> Result<DataFn> {
        match self.0.get(name).map(Vec::as_slice) {
            Some([run]) => Ok(*run),
            Some(_) => Err(Error::new(ErrorKind::Migration, format!("two functions are the step `{name}` in Rust"))
                .with_help("give one of them another name, also where it is named")),
            None => {
                let beside = format!("`covet_orm::data_step!({name})` beside the function");
                let help = format!("migrate by the program that has it, with {beside}");
                Err(Cause::UnknownStep(name.to_owned()).into_error(help))
            }
        }
    }
}

impl fmt::Debug for DataSteps {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

impl Script {
    /// The names of its steps in Rust.
    pub(in crate::migrate) fn rust(&self) -> impl Iterator<Item = &str> {
        self.steps.iter().filter_map(|step: &Step| step.rust.as_deref())
    }
}
