//! What operators make of constants, as JavaScript defines them.

use swc_ecma_ast::{BinaryOp, UnaryOp};

use super::Constant;
use crate::contract::Perms;

/// `None` where the result is not constant, or would only be by JavaScript's odder conversions.
pub(super) fn binary(op: BinaryOp, left: &Constant, right: &Constant) -> Option<Constant> {
    match op {
        BinaryOp::BitOr | BinaryOp::BitAnd | BinaryOp::BitXor => bits(op, left, right),
        BinaryOp::Add => match (left, right) {
            (Constant::Number(a), Constant::Number(b)) => Some(Constant::Number(a + b)),
            (Constant::Text(_), _) | (_, Constant::Text(_)) => {
                Some(Constant::Text(text(left)? + &text(right)?))
            }
            _ => None,
        },
        BinaryOp::EqEqEq | BinaryOp::EqEq => Some(Constant::Boolean(equal(left, right)?)),
        BinaryOp::NotEqEq | BinaryOp::NotEq => Some(Constant::Boolean(!equal(left, right)?)),
        _ => {
            let (a, b) = (number(left)?, number(right)?);
            arithmetic(op, a, b).map(Constant::Number).or_else(|| comparison(op, a, b).map(Constant::Boolean))
        }
    }
}

pub(super) fn unary(op: UnaryOp, value: &Constant) -> Option<Constant> {
    match op {
        UnaryOp::Minus => number(value).map(|value| Constant::Number(-value)),
        UnaryOp::Plus => number(value).map(Constant::Number),
        UnaryOp::Tilde => number(value).map(|value| Constant::Number(f64::from(!int32(value)))),
        UnaryOp::Bang => Some(Constant::Boolean(!is_truthy(value))),
        UnaryOp::Void => Some(Constant::Undefined),
        UnaryOp::TypeOf | UnaryOp::Delete => None,
    }
}

pub(super) fn is_truthy(value: &Constant) -> bool {
    match value {
        Constant::Text(text) => !text.is_empty(),
        Constant::Number(number) => *number != 0.0 && !number.is_nan(),
        Constant::Boolean(boolean) => *boolean,
        Constant::Null | Constant::Undefined => false,
        Constant::Perms(perms) => *perms != Perms::NONE,
        Constant::Array(_) | Constant::Object(_) => true,
    }
}

/// The value within a template; objects and arrays have no text worth an option.
pub(super) fn text(value: &Constant) -> Option<String> {
    match value {
        Constant::Text(text) => Some(text.clone()),
        Constant::Number(number) => number_text(*number),
        Constant::Boolean(boolean) => Some(boolean.to_string()),
        Constant::Null => Some("null".to_owned()),
        Constant::Undefined => Some("undefined".to_owned()),
        Constant::Perms(perms) => Some(perms.bits().to_string()),
        Constant::Array(_) | Constant::Object(_) => None,
    }
}

/// Numbers that Rust and JavaScript write alike.
fn number_text(number: f64) -> Option<String> {
    let plain = number == 0.0 || (1e-6..1e21).contains(&number.abs());
    plain.then(|| if number == 0.0 { "0".to_owned() } else { number.to_string() })
}

/// Permissions stay permissions where the result is one.
fn bits(op: BinaryOp, left: &Constant, right: &Constant) -> Option<Constant> {
    let (a, b) = (int32(number(left)?), int32(number(right)?));
    let bits = match op {
        BinaryOp::BitOr => a | b,
        BinaryOp::BitAnd => a & b,
        _ => a ^ b,
    };
    let perms = matches!(left, Constant::Perms(_)) || matches!(right, Constant::Perms(_));
    let as_perms = u8::try_from(bits).ok().and_then(Perms::from_bits).filter(|_| perms);
    Some(as_perms.map_or_else(|| Constant::Number(f64::from(bits)), Constant::Perms))
}

fn arithmetic(op: BinaryOp, a: f64, b: f64) -> Option<f64> {
    Some(match op {
        BinaryOp::Sub => a - b,
        BinaryOp::Mul => a * b,
        BinaryOp::Div => a / b,
        BinaryOp::Mod => a % b,
        BinaryOp::Exp => a.powf(b),
        BinaryOp::LShift => f64::from(int32(a).wrapping_shl(shift(b))),
        BinaryOp::RShift => f64::from(int32(a).wrapping_shr(shift(b))),
        BinaryOp::ZeroFillRShift => f64::from(int32(a).cast_unsigned().wrapping_shr(shift(b))),
        _ => return None,
    })
}

fn comparison(op: BinaryOp, a: f64, b: f64) -> Option<bool> {
    Some(match op {
        BinaryOp::Lt => a < b,
        BinaryOp::LtEq => a <= b,
        BinaryOp::Gt => a > b,
        BinaryOp::GtEq => a >= b,
        _ => return None,
    })
}

/// `None` for values of different kinds, which `==` and `===` treat differently, and for objects.
fn equal(left: &Constant, right: &Constant) -> Option<bool> {
    match (left, right) {
        (Constant::Text(a), Constant::Text(b)) => Some(a == b),
        (Constant::Boolean(a), Constant::Boolean(b)) => Some(a == b),
        (Constant::Null, Constant::Null) | (Constant::Undefined, Constant::Undefined) => Some(true),
        (Constant::Array(_) | Constant::Object(_), _) | (_, Constant::Array(_) | Constant::Object(_)) => None,
        // A value is never `undefined` or `null` by conversion.
        (Constant::Undefined | Constant::Null, other) | (other, Constant::Undefined | Constant::Null) => {
            (!matches!(other, Constant::Undefined | Constant::Null)).then_some(false)
        }
        _ => Some(number(left)? == number(right)?),
    }
}

fn number(value: &Constant) -> Option<f64> {
    match value {
        Constant::Number(number) => Some(*number),
        Constant::Perms(perms) => Some(f64::from(perms.bits())),
        Constant::Text(_)
        | Constant::Boolean(_)
        | Constant::Null
        | Constant::Undefined
        | Constant::Array(_)
        | Constant::Object(_) => None,
    }
}

/// ToInt32 of ECMAScript.
fn int32(number: f64) -> i32 {
    if !number.is_finite() {
        return 0;
    }
    let wrapped = number.trunc().rem_euclid(4_294_967_296.0);
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "within 0..2^32")]
    let wrapped = wrapped as u32;
    wrapped.cast_signed()
}

fn shift(number: f64) -> u32 {
    int32(number).cast_unsigned() & 31
}

/// What a constant has under a key.
pub(super) fn field(value: &Constant, key: &str) -> Option<Constant> {
    match value {
        Constant::Object(fields) => {
            fields.iter().rev().find(|(name, _)| name == key).map(|(_, value)| value.clone())
        }
        Constant::Array(values) => values.get(key.parse::<usize>().ok()?).cloned(),
        Constant::Text(_)
        | Constant::Number(_)
        | Constant::Boolean(_)
        | Constant::Null
        | Constant::Undefined
        | Constant::Perms(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use swc_ecma_ast::{BinaryOp, UnaryOp};

    use super::{Constant, Perms, binary, text, unary};

    #[test]
    fn operators_mean_what_javascript_means() {
        let number = Constant::Number;
        let perms = |bits| Constant::Perms(Perms::from_bits(bits).expect("three bits"));
        assert_eq!(binary(BinaryOp::BitOr, &perms(4), &perms(2)), Some(perms(6)));
        assert_eq!(binary(BinaryOp::BitOr, &perms(4), &number(2.0)), Some(perms(6)));
        assert_eq!(binary(BinaryOp::BitOr, &number(4.0), &number(2.0)), Some(number(6.0)));
        assert_eq!(binary(BinaryOp::LShift, &number(1.0), &number(33.0)), Some(number(2.0)));
        assert_eq!(
            binary(BinaryOp::ZeroFillRShift, &number(-1.0), &number(0.0)),
            Some(number(4_294_967_295.0))
        );
        assert_eq!(
            binary(BinaryOp::Add, &Constant::Text("v".to_owned()), &number(1.0)),
            Some(Constant::Text("v1".to_owned()))
        );
        assert_eq!(binary(BinaryOp::EqEqEq, &Constant::Null, &number(0.0)), Some(Constant::Boolean(false)));
        assert_eq!(binary(BinaryOp::EqEqEq, &Constant::Null, &Constant::Undefined), None);
        assert_eq!(unary(UnaryOp::Tilde, &number(4.0)), Some(number(-5.0)));
        assert_eq!(text(&number(-0.0)).as_deref(), Some("0"));
        assert_eq!(text(&number(1e21)), None);
    }
}
