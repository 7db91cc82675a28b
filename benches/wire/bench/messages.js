// The three messages. The same on every machine.

export const small = { id: 'u-48213', name: 'Ada Lovelace', age: 36, active: true };

const address = (street) => ({ street, city: 'Wien', zip: '1010', country: 'at' });

export const order = {
  id: 'ord-2026-000184',
  customer: 'Ada Lovelace',
  email: 'ada.lovelace@example.com',
  status: 'paid',
  createdMs: 1_795_000_000_000,
  note: 'Bitte beim Portier abgeben, wenn niemand öffnet.',
  tags: ['gift', 'express', 'eu'],
  billing: address('Rotenturmstraße 14, Stiege 2'),
  shipping: address('Am Hof 3'),
  lines: Array.from({ length: 7 }, (_, i) => ({
    sku: `SKU-${1000 + 37 * i}`,
    title: ['Notebook, lined', 'Fountain pen', 'Ink, 50 ml, blue', 'Pencil case'][i % 4],
    quantity: 1 + (i % 3),
    price: 4.95 + 7.5 * i,
  })),
};

export const rows = Array.from({ length: 1000 }, (_, i) => ({
  id: `row-${100000 + i}`,
  author: ['ada', 'grace', 'edsger', 'barbara'][i % 4],
  text: `entry number ${i} says hello`,
  score: (i * 7919 % 1000) / 8,
  likes: i * 31 % 5000,
  pinned: i % 10 === 0,
}));
