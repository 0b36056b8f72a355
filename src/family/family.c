#include "family/family.h"

#include <string.h>

const lar_family *lar_family_find(const char *name) {
  for (const lar_family *const *f = lar_families; *f != NULL; f++)
    if (strcmp((*f)->name, name) == 0) return *f;
  return NULL;
}
