/*
 * core/entry - how a file says that it holds one entry of a table.
 *
 * `LAR_ENTRY(op, exp) = {...};` at the start of a line defines `const lar_op lar_op_exp`.
 * Make greps these lines and writes the tables (lar_ops, lar_losses, ...), so the list of
 * entries is the list of files. In a file compiled once per dtype (core/real.h) only the
 * float64 object exports the entry.
 */
#ifndef LAR_CORE_ENTRY_H
#define LAR_CORE_ENTRY_H

#if defined(LAR_REAL_F32) || defined(LAR_REAL_I64)
#define LAR_ENTRY(kind, name) \
  static const lar_##kind lar_##kind##_##name##_twin __attribute__((unused))
#else
#define LAR_ENTRY(kind, name)                  \
  extern const lar_##kind lar_##kind##_##name; \
  const lar_##kind lar_##kind##_##name
#endif

#endif
