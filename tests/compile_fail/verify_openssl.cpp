// SPDX-License-Identifier: MIT
// expect: needs OpenSSL 3 or newer
#ifdef FAIL
#include <openssl/opensslv.h>
#undef OPENSSL_VERSION_MAJOR
#endif
#include <anthropic/webhooks/verify.hpp>
