//! Relations: which columns they go by.

use quote::quote;

use super::{has, has_not, messages, model, text};

#[test]
fn a_belongs_to_goes_by_its_named_field_then_by_name_then_by_reference() {
    let written = text(model! {
        struct Post {
            #[covet(key)] id: i64,
            author_id: i64,
            editor_id: Option<i64>,
            #[covet(references = Team::code)] group: String,
            author: BelongsTo<User>,
            #[covet(by = editor_id)] second: BelongsTo<Option<User>>,
            team: BelongsTo<Team>,
        }
    });
    let columns = quote!(<Team as __Record>::COLUMNS);
    let to_user = |at: usize| {
        let message =
            ["", "author", "second"].map(|field| format!("the columns that `{field}` goes by differ in type"));
        let message = &message[at];
        quote!(__joined(__at(COLUMNS, #at), <User as __Record>::KEY_COLUMN, #message))
    };
    for (field, target, at, theirs) in [
        ("author", quote!(User), 1usize, to_user(1)),
        ("second", quote!(User), 2, to_user(2)),
        ("team", quote!(Team), 3, quote!(__at(#columns, __column_named(#columns, "code")))),
    ] {
        has(
            &written,
            quote! {
                __relation_meta(
                    "Post",
                    #field,
                    __RelationKind::BelongsTo,
                    <#target as __Record>::meta,
                    [__at(COLUMNS, #at), #theirs]
                )
            },
        );
    }
    has(&written, quote!(const second: __ToOne<Post, User>));
    has(&written, quote!(author: __BelongsTo::unloaded(relation0)));
    has(&written, quote!(__ToOne::belongs_to(&RELATIONS[0usize], |row| &mut row.author)));
    has(&written, quote!(__ToOne::optional(&RELATIONS[1usize], |row| &mut row.second)));
}

#[test]
fn a_has_many_goes_by_the_column_that_points_here() {
    let written = text(model! {
        struct User {
            #[covet(key)] id: i64,
            posts: HasMany<Post>,
            #[covet(by = editor_id)] edited: HasMany<Post>,
            profile: HasOne<Profile>,
        }
    });
    has(&written, quote!(__referencing(<Post as __Record>::COLUMNS, "users")));
    has(&written, quote!(__column_named(<Post as __Record>::COLUMNS, "editor_id")));
    has(&written, quote!(__referencing(<Profile as __Record>::COLUMNS, "users")));
    has(&written, quote!(const edited: __ToMany<User, Post>));
    has(&written, quote!(const profile: __ToOne<User, Profile>));
}

#[test]
fn a_many_to_many_goes_through_its_link() {
    let written = text(model! {
        struct Post { #[covet(key)] id: i64, tags: ManyToMany<Tag, PostTag> }
    });
    has(&written, quote!(__referencing(<PostTag as __Record>::COLUMNS, "posts")));
    has(&written, quote!(__referencing(<PostTag as __Record>::COLUMNS, <Tag as __Record>::TABLE)));
    has(&written, quote!(model: <PostTag as __Record>::meta));
    has(&written, quote!(const tags: __Links<Post, Tag, PostTag>));
    let itself = text(model! {
        struct User { #[covet(key)] id: i64, #[covet(by = one, to = other)] friends: ManyToMany<Self, Friendship> }
    });
    has(&itself, quote!(__column_named(<Friendship as __Record>::COLUMNS, "one")));
    has(&itself, quote!(__column_named(<Friendship as __Record>::COLUMNS, "other")));
    has(&itself, quote!(const friends: __Links<User, User, Friendship>));
}

#[test]
fn a_relation_without_all_its_parameters_is_left_to_rustc() {
    let output = model!(
        struct User {
            #[covet(key)]
            id: i64,
            tags: HasMany,
        }
    );
    has(
        &super::plain(&output),
        quote!(
            const _: bool = <HasMany as __ColumnValue>::NULLABLE;
        ),
    );
    assert_eq!(messages(output), Vec::<String>::new());
}

#[test]
fn after_a_mistake_nothing_is_looked_for_in_other_models() {
    let output = model! {
        struct User { #[covet(key)] id: i64, #[covet(uniqe)] email: String, posts: HasMany<Post> }
    };
    let text = super::plain(&output);
    assert_eq!(messages(output).len(), 1);
    has_not(&text, quote!(__referencing));
    has(&text, quote!(const posts: __ToMany<User, Post>));
    has(&text, quote!(struct CreateUser<>));
}
