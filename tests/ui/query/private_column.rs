use covet_orm::prelude::*;

mod m {
    use covet_orm::prelude::*;
    #[derive(Model)]
    pub struct Secret {
        #[covet(key)]
        pub id: i64,
        hidden: String,
    }
}

fn f() {
    let _ = m::Secret::query().filter(m::Secret::hidden.eq("x"));
}

fn main() {}
