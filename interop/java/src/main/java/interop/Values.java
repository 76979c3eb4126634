package interop;

import io.opentelemetry.api.common.AttributeKey;
import io.opentelemetry.api.common.Attributes;
import io.opentelemetry.api.common.Value;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/** Attributes and bodies with the values that encodings get wrong: extremes, empty ones, text outside ASCII. */
final class Values {
  /** Longer than an HTTP/2 frame and than the first flow-control window. */
  static final String LARGE = "ü".repeat(50_000);

  private Values() {}

  /** An attribute of each type. */
  static Attributes everyType(String prefix) {
    return Attributes.builder()
        .put(prefix + "string", "naïve 数据 🚀 \0 \"quoted\"\n")
        .put(prefix + "string.empty", "")
        .put(prefix + "string.long", "länge ".repeat(40))
        .put(prefix + "ключ", "key outside ASCII")
        .put(prefix + "bool", true)
        .put(prefix + "bool.false", false)
        .put(prefix + "int.min", Long.MIN_VALUE)
        .put(prefix + "int.max", Long.MAX_VALUE)
        .put(prefix + "int.zero", 0L)
        .put(prefix + "int.minus", -1L)
        .put(prefix + "double", 0.1)
        .put(prefix + "double.small", Double.MIN_VALUE)
        .put(prefix + "double.inf", Double.NEGATIVE_INFINITY)
        .put(prefix + "double.nan", Double.NaN)
        .put(prefix + "bools", true, false)
        .put(prefix + "ints", Long.MIN_VALUE, 0L, Long.MAX_VALUE)
        .put(prefix + "doubles", -0.5, Double.MAX_VALUE)
        .put(prefix + "strings", "", "ü", "long enough to matter")
        .put(AttributeKey.stringArrayKey(prefix + "strings.empty"), List.of())
        .put(AttributeKey.valueKey(prefix + "bytes"), bytes())
        .put(AttributeKey.valueKey(prefix + "map"), nested())
        .build();
  }

  /** One attribute of them. */
  static Attributes oneType(String prefix, int index) {
    Attributes all = everyType(prefix);
    AttributeKey<?> chosen = List.copyOf(all.asMap().keySet()).get(index % all.size());
    return all.toBuilder().removeIf(key -> !key.equals(chosen)).build();
  }

  /** A different kind of value from record to record. */
  static Value<?> body(int index) {
    List<Value<?>> kinds =
        List.of(
            Value.of("log line — done"),
            nested(),
            Value.of(Long.MIN_VALUE),
            Value.of(0.1),
            Value.of(true),
            bytes(),
            Value.of(Value.of(1), Value.of("two"), Value.of(List.of(Value.of(3.0)))),
            Value.of(""));
    return kinds.get(index % kinds.size());
  }

  /** A map in a list in a map. */
  static Value<?> nested() {
    Value<?> deep = Value.of(sorted(Map.of("deep", Value.of(1e300), "raw", Value.of(new byte[] {(byte) 0xfe}))));
    Value<?> list = Value.of(Value.of(-7), Value.of(true), Value.of(""), deep);
    return Value.of(sorted(Map.of("inner", Value.of("値"), "list", list, "empty", Value.of(Map.of()))));
  }

  private static Value<?> bytes() {
    return Value.of(new byte[] {0, (byte) 0xff, (byte) 0x80, 10});
  }

  private static Map<String, Value<?>> sorted(Map<String, Value<?>> entries) {
    return new TreeMap<>(entries);
  }
}
