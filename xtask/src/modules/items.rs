//! Items of a module: their attributes, names and documentation.

use syn::{Attribute, Item, Visibility};

pub(super) fn attributes(item: &Item) -> &[Attribute] {
    match item {
        Item::Const(item) => &item.attrs,
        Item::Enum(item) => &item.attrs,
        Item::Fn(item) => &item.attrs,
        Item::Impl(item) => &item.attrs,
        Item::Macro(item) => &item.attrs,
        Item::Mod(item) => &item.attrs,
        Item::Static(item) => &item.attrs,
        Item::Struct(item) => &item.attrs,
        Item::Trait(item) => &item.attrs,
        Item::Type(item) => &item.attrs,
        Item::Use(item) => &item.attrs,
        _ => &[],
    }
}

pub(super) fn is_test(attributes: &[Attribute]) -> bool {
    let is_test = |attribute: &Attribute| {
        attribute.path().is_ident("cfg")
            && attribute.parse_args::<syn::Path>().is_ok_and(|condition| condition.is_ident("test"))
    };
    attributes.iter().any(is_test)
}

fn is_documented(attributes: &[Attribute]) -> bool {
    attributes.iter().any(|attribute| attribute.path().is_ident("doc"))
}

pub(super) fn type_name(item: &Item) -> Option<&syn::Ident> {
    match item {
        Item::Enum(item) => Some(&item.ident),
        Item::Struct(item) => Some(&item.ident),
        Item::Trait(item) => Some(&item.ident),
        Item::Type(item) => Some(&item.ident),
        _ => None,
    }
}

/// Returns the line of a `pub` item without documentation. Fields and variants need none.
pub(super) fn undocumented_name(item: &Item) -> Option<(String, usize)> {
    let (visibility, ident) = match item {
        Item::Const(item) => (&item.vis, &item.ident),
        Item::Enum(item) => (&item.vis, &item.ident),
        Item::Fn(item) => (&item.vis, &item.sig.ident),
        Item::Static(item) => (&item.vis, &item.ident),
        Item::Struct(item) => (&item.vis, &item.ident),
        Item::Trait(item) => (&item.vis, &item.ident),
        Item::Type(item) => (&item.vis, &item.ident),
        Item::Impl(item) if item.trait_.is_none() => return undocumented_method(item),
        _ => return None,
    };
    let lacks = matches!(visibility, Visibility::Public(_)) && !is_documented(attributes(item));
    lacks.then(|| (ident.to_string(), ident.span().start().line))
}

fn undocumented_method(item: &syn::ItemImpl) -> Option<(String, usize)> {
    item.items.iter().find_map(|item| match item {
        syn::ImplItem::Fn(method) => {
            let lacks = matches!(method.vis, Visibility::Public(_)) && !is_documented(&method.attrs);
            lacks.then(|| (method.sig.ident.to_string(), method.sig.ident.span().start().line))
        }
        _ => None,
    })
}
