import { backend, type int32, perms } from 'kontract';

/** 60 bytes as JSON. */
export interface Small {
  id: string;
  name: string;
  age: int32;
  active: boolean;
}

export interface Address {
  street: string;
  city: string;
  zip: string;
  country: 'at' | 'ch' | 'de' | 'fr' | 'it';
}

export interface Line {
  sku: string;
  title: string;
  quantity: int32;
  price: number;
}

/** 1 kB as JSON: text, numbers, literals, what may be absent, and two levels. */
export interface Order {
  id: string;
  customer: string;
  email: string;
  status: 'open' | 'paid' | 'sent' | 'done';
  createdMs: number;
  note?: string;
  tags: string[];
  billing: Address;
  shipping: Address;
  lines: Line[];
}

/** 100 bytes as JSON; a thousand of them are the large message. */
export interface Row {
  id: string;
  author: string;
  text: string;
  score: number;
  likes: int32;
  pinned: boolean;
}

export const small = backend({ perm: perms.R__ }, async (value: Small): Promise<Small> => value);
export const order = backend({ perm: perms.R__ }, async (value: Order): Promise<Order> => value);
export const rows = backend({ perm: perms.R__ }, async (value: Row[]): Promise<Row[]> => value);
