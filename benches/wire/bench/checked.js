// Validators as typia writes them: one expression for each type, specialised, refusing properties that the type does not have.

const COUNTRIES = ['at', 'ch', 'de', 'fr', 'it'];
const STATUSES = ['open', 'paid', 'sent', 'done'];
const object = (value) => typeof value === 'object' && value !== null && !Array.isArray(value);
const int32 = (value) => typeof value === 'number' && (value | 0) === value;
const keys = (value, required, optional) => {
  let count = 0;
  for (const key in value) {
    if (!required.has(key) && !optional?.has(key)) return false;
    count++;
  }
  return count >= required.size;
};

const SMALL = new Set(['id', 'name', 'age', 'active']);
const ADDRESS = new Set(['street', 'city', 'zip', 'country']);
const LINE = new Set(['sku', 'title', 'quantity', 'price']);
const ORDER = new Set(['id', 'customer', 'email', 'status', 'createdMs', 'tags', 'billing', 'shipping', 'lines']);
const ORDER_OPTIONAL = new Set(['note']);
const ROW = new Set(['id', 'author', 'text', 'score', 'likes', 'pinned']);

const isSmall = (value) =>
  object(value) && typeof value.id === 'string' && typeof value.name === 'string' && int32(value.age) &&
  typeof value.active === 'boolean' && keys(value, SMALL);
const isAddress = (value) =>
  object(value) && typeof value.street === 'string' && typeof value.city === 'string' && typeof value.zip === 'string' &&
  COUNTRIES.includes(value.country) && keys(value, ADDRESS);
const isLine = (value) =>
  object(value) && typeof value.sku === 'string' && typeof value.title === 'string' && int32(value.quantity) &&
  typeof value.price === 'number' && keys(value, LINE);
const isOrder = (value) =>
  object(value) && typeof value.id === 'string' && typeof value.customer === 'string' && typeof value.email === 'string' &&
  STATUSES.includes(value.status) && typeof value.createdMs === 'number' &&
  (value.note === undefined || typeof value.note === 'string') &&
  Array.isArray(value.tags) && value.tags.every((tag) => typeof tag === 'string') &&
  isAddress(value.billing) && isAddress(value.shipping) &&
  Array.isArray(value.lines) && value.lines.every(isLine) && keys(value, ORDER, ORDER_OPTIONAL);
const isRow = (value) =>
  object(value) && typeof value.id === 'string' && typeof value.author === 'string' && typeof value.text === 'string' &&
  typeof value.score === 'number' && int32(value.likes) && typeof value.pinned === 'boolean' && keys(value, ROW);
const isRows = (value) => Array.isArray(value) && value.every(isRow);

export const checks = { small: isSmall, order: isOrder, rows: isRows };
