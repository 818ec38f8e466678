//! Signals of the server's data, of which the page holds the machinery once and not for each type.

use std::any::Any;
use std::marker::PhantomData;
use std::sync::Arc;

use leptos::prelude::*;

use crate::effect::effect;

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

    /// Looks at the value; tracked.
    pub fn with<R>(self, look_at: impl FnOnce(&T) -> R) -> R {
        look(&self.value.get(), look_at)
    }

    /// Looks at the value, unless the page is gone.
    pub fn try_with_untracked<R>(self, look_at: impl FnOnce(&T) -> R) -> Option<R> {
        self.value.try_get_untracked().map(|value| look(&value, look_at))
    }
}

/// What is held once there is something.
pub struct Awaited<T> {
    value: RwSignal<Option<Anything>>,
    of: PhantomData<fn() -> T>,
}

impl<T> Clone for Awaited<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for Awaited<T> {}

impl<T: Send + Sync + 'static> Awaited<T> {
    /// Holds nothing yet.
    pub fn new() -> Self {
        Self { value: RwSignal::new(None), of: PhantomData }
    }

    /// Puts another value in its place, unless the page is gone.
    pub fn set(self, value: T) {
        self.value.try_set(Some(Arc::new(value)));
    }

    /// Waits for another one.
    pub fn clear(self) {
        self.value.try_set(None);
    }

    /// The value; tracked.
    pub fn get(self) -> Option<T>
    where
        T: Clone,
    {
        self.with(|value: Option<&T>| value.cloned())
    }

    /// Looks at the value; tracked.
    pub fn with<R>(self, look_at: impl FnOnce(Option<&T>) -> R) -> R {
        look_at(self.value.get().as_ref().and_then(|value| value.downcast_ref()))
    }

    /// Looks at the value, unless the page is gone.
    pub fn try_with_untracked<R>(self, look_at: impl FnOnce(Option<&T>) -> R) -> Option<R> {
        let value = self.value.try_get_untracked()?;
        Some(look_at(value.as_ref().and_then(|value| value.downcast_ref())))
    }

    /// The value, if there is one, and all that follow it, for as long as there are some.
    pub fn follow(self) -> Option<Held<T>> {
        Some(Held { value: follow(self.value)?, of: PhantomData })
    }
}

fn follow(awaited: RwSignal<Option<Anything>>) -> Option<RwSignal<Anything>> {
    let mut last = awaited.get_untracked()?;
    let held = RwSignal::new(last.clone());
    effect(move || {
        // What is held already is not held anew.
        if let Some(next) = awaited.get().filter(|next| !Arc::ptr_eq(next, &last)) {
            last = next;
            held.set(last.clone());
        }
    });
    Some(held)
}

fn look<T: 'static, R>(value: &Anything, look_at: impl FnOnce(&T) -> R) -> R {
    match value.downcast_ref() {
        Some(value) => look_at(value),
        None => unreachable!("only values of this type are put in"),
    }
}
