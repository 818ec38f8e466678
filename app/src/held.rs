//! Signals of the server's data, of which the page holds the machinery once and not for each type.

use std::any::Any;
use std::marker::PhantomData;
use std::sync::Arc;

use leptos::prelude::*;

/// A value of any type.
type Anything = Arc<dyn Any + Send + Sync>;

/// What an `RwSignal<T>` is, held as an `RwSignal` of anything.
pub struct Held<T> {
    value: RwSignal<Anything>,
    of: PhantomData<fn() -> T>,
}

impl<T> Clone for Held<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for Held<T> {}

impl<T: Send + Sync + 'static> Held<T> {
    /// Holds a first value.
    pub fn new(first: T) -> Self {
        Self { value: RwSignal::new(Arc::new(first)), of: PhantomData }
    }

    /// Puts another value in its place, unless the page is gone.
    pub fn set(self, value: T) {
        self.value.try_set(Arc::new(value));
    }

    /// The value; tracked.
    pub fn get(self) -> T
    where
        T: Clone,
    {
        self.with(T::clone)
    }

    /// The value.
    pub fn get_untracked(self) -> T
    where
        T: Clone,
    {
        look(&self.value.get_untracked(), T::clone)
    }

    /// Looks at the value; tracked.
    pub fn with<R>(self, look_at: impl FnOnce(&T) -> R) -> R {
        look(&self.value.get(), look_at)
    }

    /// Looks at the value, unless the page is gone.
    pub fn try_with_untracked<R>(self, look_at: impl FnOnce(&T) -> R) -> Option<R> {
        self.value.try_get_untracked().map(|value| look(&value, look_at))
    }
}

fn look<T: 'static, R>(value: &Anything, look_at: impl FnOnce(&T) -> R) -> R {
    match value.downcast_ref() {
        Some(value) => look_at(value),
        None => unreachable!("only values of this type are put in"),
    }
}
