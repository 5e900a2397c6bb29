// SPDX-License-Identifier: MIT
#ifdef __SSE4_2__
#define RAPIDJSON_SSE42
#elif defined(__SSE2__)
#define RAPIDJSON_SSE2
#elif defined(__ARM_NEON)
#define RAPIDJSON_NEON
#endif
#include <rapidjson/reader.h>

#include "peers.hpp"
#include "sax_handler.hpp"

#include <stdexcept>
#include <string>

namespace peers {
namespace {

struct handler : rapidjson::BaseReaderHandler<rapidjson::UTF8<>, handler>, sax_handler<std::string_view> {
  using Length = rapidjson::SizeType;
  bool Default() { return other(), true; }
  bool String(const char* text, Length length, bool) { return string(std::string_view(text, length)), true; }
  bool Key(const char* text, Length length, bool) { return key({text, length}), true; }
  bool StartObject() { return begin_object(), true; }
  bool EndObject(Length) { return end(), true; }
  bool StartArray() { return begin_array(), true; }
  bool EndArray(Length) { return end(), true; }
};

rapidjson::Reader reader;
std::string buffer;

/// Parses in situ, so that strings need no copy. The body belongs to the caller, so it is copied.
template <unsigned Flags>
UnwrapWebhookEvent read(std::string_view body) {
  buffer = body;
  rapidjson::InsituStringStream stream(buffer.data());
  handler handler;
  if (!reader.Parse<Flags | rapidjson::kParseInsituFlag>(stream, handler)) throw std::runtime_error("not JSON");
  return handler.event();
}

}  // namespace

UnwrapWebhookEvent rapidjson_sax(std::string_view body) { return read<rapidjson::kParseDefaultFlags>(body); }
UnwrapWebhookEvent rapidjson_sax_utf8(std::string_view body) {
  return read<rapidjson::kParseDefaultFlags | rapidjson::kParseValidateEncodingFlag>(body);
}

}  // namespace peers
