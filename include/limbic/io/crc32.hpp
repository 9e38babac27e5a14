// limbic/io/crc32.hpp - the checksum of zip, gzip and PNG
//
//   std::uint32_t const sum = crc32(bytes);      of one piece
//   sum = crc32(more, sum);                      continued over the next
//
// The remainder of the bits, lowest first, divided by the polynomial 0xEDB88320, start and end inverted: ISO 3309,
// RFC 1952 section 8. Eight bytes a step by eight tables (Kounavis and Berry 2005).
#pragma once

#include <limbic/config.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

LIMBIC_BEGIN

namespace detail {
// Row k: what a byte becomes when k zero bytes follow it.
constexpr std::array<std::array<std::uint32_t, 256>, 8> make_crc32_tables() {
  std::array<std::array<std::uint32_t, 256>, 8> t{};
  for (std::uint32_t b = 0; b < 256; ++b) {
    std::uint32_t c = b;
    for (int bit = 0; bit < 8; ++bit) c = (c >> 1) ^ ((c & 1U) != 0 ? 0xEDB88320U : 0U);
    t[0][b] = c;
  }
  for (std::size_t k = 1; k < 8; ++k)
    for (std::size_t b = 0; b < 256; ++b) t[k][b] = (t[k - 1][b] >> 8) ^ t[0][t[k - 1][b] & 255U];
  return t;
}
inline constexpr auto crc32_tables = make_crc32_tables();
}  // namespace detail

inline std::uint32_t crc32(std::span<std::byte const> bytes, std::uint32_t before = 0) {
  auto const& t = detail::crc32_tables;
  std::uint32_t c = ~before;
  std::size_t i = 0;
  auto const byte = [&](std::size_t k) { return std::to_integer<std::uint32_t>(bytes[i + k]); };
  for (; i + 8 <= bytes.size(); i += 8) {
    std::uint32_t const low = c ^ (byte(0) | byte(1) << 8 | byte(2) << 16 | byte(3) << 24);
    c = t[7][low & 255U] ^ t[6][(low >> 8) & 255U] ^ t[5][(low >> 16) & 255U] ^ t[4][low >> 24] ^ t[3][byte(4)] ^
        t[2][byte(5)] ^ t[1][byte(6)] ^ t[0][byte(7)];
  }
  for (; i < bytes.size(); ++i) c = (c >> 8) ^ t[0][(c ^ byte(0)) & 255U];
  return ~c;
}

LIMBIC_END
