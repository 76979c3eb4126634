package interop;

import io.opentelemetry.sdk.resources.Resource;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.logging.Handler;
import java.util.logging.Level;
import java.util.logging.LogRecord;
import java.util.logging.Logger;

/**
 * Sends one known set of traces, metrics and logs through the OpenTelemetry Java SDK to every endpoint named. Each SDK
 * batch goes to all of them, so identifiers and times are equal wherever it arrives and the arrivals can be compared item
 * by item.
 */
public final class Main {
  private Main() {}

  public static void main(String[] arguments) {
    Map<String, String> options = new HashMap<>();
    for (int i = 0; i + 1 < arguments.length; i += 2) {
      options.put(arguments[i], arguments[i + 1]);
    }
    List<Target> targets = new ArrayList<>();
    for (String endpoint : options.get("--endpoints").split(",")) {
      targets.add(new Target(endpoint, options.get("--protocol"), options.get("--compression")));
    }
    Problems problems = Problems.collected();
    Resource resource =
        Resource.create(
            Values.everyType("resource.").toBuilder()
                // The SDK refuses resources with keys outside ASCII.
                .removeIf(key -> key.getKey().endsWith("ключ"))
                .put("interop.run", options.get("--run"))
                .put("service.name", "interop-java")
                .build(),
            "https://opentelemetry.io/schemas/1.37.0");
    Traces.send(resource, targets);
    Metrics.send(resource, targets);
    Logs.send(resource, targets);
    if (!problems.said.isEmpty()) {
      System.err.println(String.join("\n", problems.said));
      System.exit(1);
    }
    System.out.println("sent");
    // The HTTP client's threads would keep the process for a minute.
    System.exit(0);
  }

  /** What the SDK logs as a warning or worse: that is how it reports a lost batch or a partial success. */
  private static final class Problems extends Handler {
    final List<String> said = new CopyOnWriteArrayList<>();

    static Problems collected() {
      Problems problems = new Problems();
      problems.setLevel(Level.WARNING);
      Logger root = Logger.getLogger("");
      for (Handler handler : root.getHandlers()) {
        root.removeHandler(handler);
      }
      root.addHandler(problems);
      return problems;
    }

    @Override
    public void publish(LogRecord record) {
      if (isLoggable(record)) {
        said.add(record.getMessage() + (record.getThrown() == null ? "" : ": " + record.getThrown()));
      }
    }

    @Override
    public void flush() {}

    @Override
    public void close() {}
  }
}
