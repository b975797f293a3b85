//! Models in a real bucket: fetched, kept, published, checked.

mod cache;
mod entities;
mod evaluate;
mod fixture;
mod models;
