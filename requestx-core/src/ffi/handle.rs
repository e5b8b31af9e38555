//! Handles: numbers in the clothing of pointers.
//!
//! A handle names a slot of a table, the generation of what is in it, its kind and the process's epoch.
//! It is looked up, never followed: one that is stale, of another kind, made up or freed twice gives `RQX_E_HANDLE`,
//! one from before a fork `RQX_E_FORKED`, and nothing is read that is not ours.
//! The lowest bit is always set and the kind, far above any address in use, never 0: no handle looks like an address.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::error::{Error, Kind};
use crate::process;

const INDEX_BITS: u32 = if usize::BITS == 64 { 31 } else { 15 };
const GENERATION_BITS: u32 = if usize::BITS == 64 { 20 } else { 6 };
const KIND_BITS: u32 = 4;
const GENERATION_AT: u32 = 1 + INDEX_BITS;
const KIND_AT: u32 = GENERATION_AT + GENERATION_BITS;
const EPOCH_AT: u32 = KIND_AT + KIND_BITS;
const EPOCH_BITS: u32 = usize::BITS - EPOCH_AT;

/// The objects of one kind that C holds handles to.
#[derive(Debug)]
pub struct Table<T> {
    kind: usize,
    name: &'static str,
    slots: Mutex<Slots<T>>,
}

#[derive(Debug)]
struct Slots<T> {
    all: Vec<Slot<T>>,
    /// Taken in turn, so that a number comes back as late as it can.
    free: VecDeque<u32>,
}

#[derive(Debug)]
struct Slot<T> {
    generation: usize,
    object: Option<T>,
}

impl<T> Table<T> {
    /// `kind` differs from table to table and is not 0.
    pub const fn new(kind: usize, name: &'static str) -> Table<T> {
        Table { kind, name, slots: Mutex::new(Slots { all: Vec::new(), free: VecDeque::new() }) }
    }

    /// Keeps `object` and gives its handle.
    ///
    /// # Errors
    /// `NoResources` if there is no memory or no number left.
    pub fn insert(&self, object: T) -> Result<usize, Error> {
        let mut slots = self.lock();
        let index = match slots.free.pop_front() {
            Some(index) => index as usize,
            None => {
                let full = slots.all.len() >= (1 << INDEX_BITS) - 1;
                if full || slots.all.try_reserve(1).is_err() {
                    return Err(Error::caller(
                        Kind::NoResources,
                        format!("no room for one more {}", self.name),
                    ));
                }
                slots.all.push(Slot { generation: 0, object: None });
                slots.all.len() - 1
            }
        };
        let slot = &mut slots.all[index];
        slot.generation = (slot.generation + 1) & ((1 << GENERATION_BITS) - 1);
        slot.object = Some(object);
        let epoch = process::epoch() as usize & ((1 << EPOCH_BITS) - 1);
        Ok(1 | index << 1 | slot.generation << GENERATION_AT | self.kind << KIND_AT | epoch << EPOCH_AT)
    }

    /// Looks at the object of `handle`.
    ///
    /// # Errors
    /// `Null`, `Forked` or `Handle`.
    pub fn with<R>(&self, handle: usize, look: impl FnOnce(&T) -> R) -> Result<R, Error> {
        let mut slots = self.lock();
        self.slot(&mut slots, handle)
            .map(|slot| look(slot.object.as_ref().expect("slot() gives filled ones")))
    }

    /// Every object there is.
    pub fn all(&self) -> Vec<T>
    where
        T: Clone,
    {
        self.lock().all.iter().filter_map(|slot| slot.object.clone()).collect()
    }

    /// Takes the object back; the handle is void from then on.
    ///
    /// # Errors
    /// `Null`, `Forked` or `Handle`.
    pub fn remove(&self, handle: usize) -> Result<T, Error> {
        let mut slots = self.lock();
        let object = self.slot(&mut slots, handle)?.object.take().expect("slot() gives filled ones");
        slots.free.push_back(index_of(handle) as u32);
        Ok(object)
    }

    fn slot<'a>(&self, slots: &'a mut Slots<T>, handle: usize) -> Result<&'a mut Slot<T>, Error> {
        if handle == 0 {
            return Err(Error::caller(Kind::Null, format!("the {} is NULL", self.name)));
        }
        let stale = || Error::caller(Kind::Handle, format!("{handle:#x} is no living {}", self.name));
        if handle & 1 == 0 || (handle >> KIND_AT) & ((1 << KIND_BITS) - 1) != self.kind {
            return Err(stale());
        }
        if handle >> EPOCH_AT != process::epoch() as usize & ((1 << EPOCH_BITS) - 1) {
            return Err(Error::caller(
                Kind::Forked,
                format!("the {} belongs to the parent process", self.name),
            ));
        }
        let generation = (handle >> GENERATION_AT) & ((1 << GENERATION_BITS) - 1);
        let slot = slots.all.get_mut(index_of(handle)).ok_or_else(stale)?;
        if slot.generation != generation || slot.object.is_none() {
            return Err(stale());
        }
        Ok(slot)
    }

    fn lock(&self) -> MutexGuard<'_, Slots<T>> {
        self.slots.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn index_of(handle: usize) -> usize {
    (handle >> 1) & ((1 << INDEX_BITS) - 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kind(result: Result<u8, Error>) -> Kind {
        result.unwrap_err().kind
    }

    #[test]
    fn a_handle_gives_its_object_until_it_is_removed() {
        let table = Table::new(1, "thing");
        let handle = table.insert(7).unwrap();

        assert_eq!(7, table.with(handle, |n| *n).unwrap());
        assert_eq!(7, table.remove(handle).unwrap());
        assert_eq!(Kind::Handle, kind(table.remove(handle)));
    }

    #[test]
    fn a_reused_slot_does_not_answer_to_its_old_handle() {
        let table = Table::new(1, "thing");
        let old = table.insert(1).unwrap();
        table.remove(old).unwrap();
        let new = table.insert(2).unwrap();

        assert_ne!(old, new);
        assert_eq!(Kind::Handle, kind(table.with(old, |n| *n)));
    }

    #[test]
    fn handles_of_another_kind_and_made_up_ones_are_refused() {
        let (table, other) = (Table::new(1, "thing"), Table::new(2, "other"));
        let foreign = other.insert(1).unwrap();
        table.insert(1).unwrap();

        assert_eq!(Kind::Null, kind(table.with(0, |n| *n)));
        for made_up in [foreign, 1, 2, 0x7fff_dead_beef, usize::MAX, usize::MAX - 1] {
            assert!(table.with(made_up, |n: &u8| *n).is_err(), "{made_up:#x}");
        }
    }
}
