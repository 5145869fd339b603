//! Which columns a table has that holds JSON lines. Values are seen as they are parsed; none is kept.

use crate::error::count;
use arrow_schema::{DataType, Field, FieldRef};
use rustc_hash::FxHashMap;
use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use std::fmt;
use std::sync::Arc;

/// The most fields of all objects at one place. Data in the place of names makes a column of each value.
const MOST_FIELDS: usize = 10_000;

/// The fields of all objects seen at one place, in the order in which they first appeared.
#[derive(Default)]
pub(super) struct Object {
    fields: Vec<(String, Shape)>,
    by_name: FxHashMap<String, usize>,
}

/// What all values at one place were.
enum Shape {
    /// null, or there was none.
    Nothing,
    Scalar(Scalar),
    List(Box<Shape>),
    Object(Object),
}

/// Which scalars there were.
#[derive(Default)]
struct Scalar {
    has_text: bool,
    has_truth: bool,
    has_fraction: bool,
    has_integer: bool,
    has_negative: bool,
    /// Integers that no float holds exactly.
    has_wide: bool,
    /// Integers beyond those with a sign in 64 bits.
    has_huge: bool,
}

impl Object {
    /// Sees a line; gives what is wrong with it.
    pub(super) fn see(&mut self, line: &[u8]) -> Result<(), String> {
        let mut json = serde_json::Deserializer::from_slice(line);
        let seen = json.deserialize_map(Seeing { object: self }).and_then(|()| json.end());
        seen.map_err(|error| {
            let words = error.to_string();
            let end = words.rfind(" at line ").unwrap_or(words.len());
            words[..end].into()
        })
    }

    /// The columns that hold all of it.
    pub(super) fn fields(&self) -> Result<Vec<FieldRef>, String> {
        let field = |(name, shape): &(String, Shape)| Ok(Arc::new(Field::new(name, shape.data_type(name)?, true)));
        self.fields.iter().map(field).collect()
    }

    /// The field `name`, which likely stands at `likely`; and its place.
    fn field<E: Error>(&mut self, name: &str, likely: usize) -> Result<(usize, &mut Shape), E> {
        let place = match self.fields.get(likely) {
            Some((known, _)) if known == name => likely,
            _ => match self.by_name.get(name) {
                Some(&place) => place,
                None if self.fields.len() == MOST_FIELDS => {
                    return Err(E::custom(format_args!("with it there are more than {} fields", count(MOST_FIELDS as u64))));
                }
                None => {
                    self.by_name.insert(name.into(), self.fields.len());
                    self.fields.push((name.into(), Shape::Nothing));
                    self.fields.len() - 1
                }
            },
        };
        Ok((place, &mut self.fields[place].1))
    }
}

impl Shape {
    fn kind(&self) -> &'static str {
        match self {
            Shape::Nothing => "null",
            Shape::Scalar(_) => "a string or number",
            Shape::List(_) => "an array",
            Shape::Object(_) => "an object",
        }
    }

    fn data_type(&self, name: &str) -> Result<DataType, String> {
        Ok(match self {
            Shape::Nothing => DataType::Null,
            Shape::Scalar(scalar) => scalar.data_type(),
            Shape::List(item) => DataType::List(Arc::new(Field::new_list_field(item.data_type(name)?, true))),
            Shape::Object(object) if object.fields.is_empty() => {
                return Err(format!("its field {name:?} is an empty object in each line, which Parquet has no type for"));
            }
            Shape::Object(object) => DataType::Struct(object.fields()?.into()),
        })
    }
}

impl Scalar {
    fn data_type(&self) -> DataType {
        match self {
            Scalar { has_text: true, .. } => DataType::Utf8,
            Scalar { has_truth: true, has_fraction: false, has_integer: false, .. } => DataType::Boolean,
            Scalar { has_truth: true, .. } => DataType::Utf8,
            Scalar { has_fraction: true, has_wide: false, .. } => DataType::Float64,
            Scalar { has_fraction: true, .. } => DataType::Utf8,
            Scalar { has_huge: true, has_negative: true, .. } => DataType::Utf8,
            Scalar { has_huge: true, .. } => DataType::UInt64,
            _ => DataType::Int64,
        }
    }
}

/// Sees a value at a place.
struct Value<'a> {
    /// The field it is in.
    name: &'a str,
    shape: &'a mut Shape,
}

impl Value<'_> {
    fn scalar<E: Error>(self, note: impl FnOnce(&mut Scalar)) -> Result<(), E> {
        if let Shape::Nothing = self.shape {
            *self.shape = Shape::Scalar(Scalar::default());
        }
        match self.shape {
            Shape::Scalar(scalar) => {
                note(scalar);
                Ok(())
            }
            _ => Err(self.other("a string or number")),
        }
    }

    fn other<E: Error>(&self, what: &str) -> E {
        E::custom(format_args!(
            "its field {:?} is {what} and was {} before, but a column of a table has one type",
            self.name,
            self.shape.kind()
        ))
    }
}

impl<'de> DeserializeSeed<'de> for Value<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, json: D) -> Result<(), D::Error> {
        json.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Value<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_unit<E: Error>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_bool<E: Error>(self, _: bool) -> Result<(), E> {
        self.scalar(|scalar| scalar.has_truth = true)
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<(), E> {
        self.scalar(|scalar| {
            scalar.has_integer = true;
            scalar.has_negative |= number < 0;
            scalar.has_wide |= number.unsigned_abs() > 1 << f64::MANTISSA_DIGITS;
        })
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<(), E> {
        self.scalar(|scalar| {
            scalar.has_integer = true;
            scalar.has_wide |= number > 1 << f64::MANTISSA_DIGITS;
            scalar.has_huge |= i64::try_from(number).is_err();
        })
    }

    fn visit_f64<E: Error>(self, _: f64) -> Result<(), E> {
        self.scalar(|scalar| scalar.has_fraction = true)
    }

    fn visit_str<E: Error>(self, _: &str) -> Result<(), E> {
        self.scalar(|scalar| scalar.has_text = true)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<(), A::Error> {
        if let Shape::Nothing = self.shape {
            *self.shape = Shape::List(Box::new(Shape::Nothing));
        }
        match self.shape {
            Shape::List(item) => {
                while items.next_element_seed(Value { name: self.name, shape: item })?.is_some() {}
                Ok(())
            }
            _ => Err(self.other("an array")),
        }
    }

    fn visit_map<A: MapAccess<'de>>(self, members: A) -> Result<(), A::Error> {
        if let Shape::Nothing = self.shape {
            *self.shape = Shape::Object(Object::default());
        }
        match self.shape {
            Shape::Object(object) => Seeing { object }.visit_map(members),
            _ => Err(self.other("an object")),
        }
    }
}

/// Sees an object.
struct Seeing<'a> {
    object: &'a mut Object,
}

impl<'de> Visitor<'de> for Seeing<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<(), A::Error> {
        let mut likely = 0;
        while let Some(name) = members.next_key::<String>()? {
            let (place, shape) = self.object.field(&name, likely)?;
            members.next_value_seed(Value { name: &name, shape })?;
            likely = place + 1;
        }
        Ok(())
    }
}
