//! What a database holds beside tables, stated in its own SQL: views, triggers, functions and extensions.

use serde::{Deserialize, Serialize};

use crate::catalog::{Expression, Qualified, Schema};

/// Something beside the tables. Covet hands its text on as it is, and sees to it that it comes and goes in the right
/// order and steps aside while what it reads changes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Object {
    /// What it is.
    pub kind: ObjectKind,
    /// The name in the database; that of a view or a function may say a schema, as that of a table.
    pub name: String,
    /// The table of a trigger.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub table: Option<String>,
    /// What stands behind `CREATE … name`; a view has no `AS`. On a database for which there is no text, there is no
    /// such object.
    pub definition: Expression,
    /// The tables and objects that it names, sorted; found by [`Schema::find_reads`].
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub reads: Vec<String>,
}

/// What an [`Object`] is, in the order in which they come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ObjectKind {
    /// An extension of PostgreSQL.
    Extension,
    /// A function.
    Function,
    /// A view.
    View,
    /// A trigger.
    Trigger,
}

impl ObjectKind {
    /// The word for it.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            ObjectKind::Extension => "extension",
            ObjectKind::Function => "function",
            ObjectKind::View => "view",
            ObjectKind::Trigger => "trigger",
        }
    }

    fn keyword(self) -> &'static str {
        match self {
            ObjectKind::Extension => "EXTENSION",
            ObjectKind::Function => "FUNCTION",
            ObjectKind::View => "VIEW",
            ObjectKind::Trigger => "TRIGGER",
        }
    }
}

impl Object {
    /// An object that is no trigger.
    pub fn new(kind: ObjectKind, name: impl Into<String>, definition: Expression) -> Self {
        Object { kind, name: name.into(), table: None, definition, reads: Vec::new() }
    }

    /// A trigger of a table.
    pub fn trigger(name: impl Into<String>, table: impl Into<String>, definition: Expression) -> Self {
        Object { table: Some(table.into()), ..Object::new(ObjectKind::Trigger, name, definition) }
    }

    /// The statement that makes it, with names quoted by `quote`; `None` on a database for which there is no text.
    #[must_use]
    pub fn create(&self, database: &str, quote: impl Fn(&str) -> String) -> Option<String> {
        let text = self.definition.on(database)?.trim();
        let (ahead, between) = match self.kind {
            ObjectKind::View => ("", " AS "),
            // Whoever runs the server may have made it already.
            ObjectKind::Extension => ("IF NOT EXISTS ", " "),
            ObjectKind::Function | ObjectKind::Trigger => ("", " "),
        };
        let sql = format!("CREATE {} {ahead}{}{between}{text}", self.kind.keyword(), quote(&self.name));
        Some(sql.trim_end().to_owned())
    }

    /// The statement that takes it away; `on` is what stands behind the name.
    #[must_use]
    pub fn drop(&self, database: &str, quote: impl Fn(&str) -> String, on: &str) -> Option<String> {
        self.definition.on(database)?;
        Some(format!("DROP {} {}{on}", self.kind.keyword(), quote(&self.name)))
    }

    /// Whether its name may say a schema. A trigger is where its table is, and an extension has a name of its own.
    #[must_use]
    pub fn has_schema(&self) -> bool {
        matches!(self.kind, ObjectKind::View | ObjectKind::Function)
    }

    /// Whether it is the same thing, whatever it is made of.
    #[must_use]
    pub fn is(&self, other: &Object) -> bool {
        (self.kind, &self.name, &self.table) == (other.kind, &other.name, &other.table)
    }

    /// Whether it is the same thing and [says](Expression::says) the same.
    #[must_use]
    pub fn means(&self, other: &Object) -> bool {
        self.is(other) && self.definition.says(&other.definition)
    }

    pub(super) fn order(&self) -> (ObjectKind, &str, Option<&str>) {
        (self.kind, &self.name, self.table.as_deref())
    }
}

impl Schema {
    /// Finds which tables and other objects each object names. What only looks like a name counts too: an object that
    /// steps aside without need costs little, one that does not is in the way.
    pub fn find_reads(&mut self) {
        let tables = self.tables.iter().map(|table| (None, table.name.clone()));
        let objects = self.objects.iter().filter(|object| object.kind != ObjectKind::Trigger);
        let mut all: Vec<(Option<ObjectKind>, String)> =
            tables.chain(objects.map(|object| (Some(object.kind), object.name.clone()))).collect();
        all.sort_by(|(_, a), (_, b)| a.cmp(b));
        for object in &mut self.objects {
            let words = object.definition.named();
            let named = |(kind, name): &&(Option<ObjectKind>, String)| {
                // A trigger may call a function of its own name.
                let is_itself = (*kind, name) == (Some(object.kind), &object.name);
                // A text may leave the schema out.
                !is_itself && words.has(&Qualified::of(name).name) || object.table.as_ref() == Some(name)
            };
            let mut reads: Vec<String> = all.iter().filter(named).map(|(_, name)| name.clone()).collect();
            reads.dedup();
            object.reads = reads;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Object, ObjectKind};
    use crate::catalog::{Expression, Schema, Table};

    #[test]
    fn what_is_called_is_read_also_by_one_of_the_same_name() {
        let function = |name: &str, text: &'static str| Object::new(ObjectKind::Function, name, Expression::new(text));
        let call = Expression::new("AFTER INSERT ON t FOR EACH ROW EXECUTE FUNCTION note()");
        let objects = vec![
            function("note", "() RETURNS trigger AS $$ BEGIN PERFORM audit.tell(NEW.id); RETURN NEW; END $$"),
            function("audit.tell", "(id bigint) RETURNS void AS $$ INSERT INTO log (what) VALUES (tell.id) $$"),
            Object::trigger("note", "t", call),
        ];
        let mut schema = Schema { objects, ..Schema::of(vec![Table::new("log"), Table::new("t")]) };
        schema.find_reads();
        let reads = |at: usize| schema.objects.get(at).map(|object| object.reads.join(" ")).unwrap_or_default();
        assert_eq!([reads(0), reads(1), reads(2)], ["audit.tell", "log", "note t"]);
    }
}
