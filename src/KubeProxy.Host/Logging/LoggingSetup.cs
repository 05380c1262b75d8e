using KubeProxy.Host.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace KubeProxy.Host.Logging;

/// <summary>Logging as the configuration asks for it.</summary>
internal static class LoggingSetup
{
    /// <summary>The verbosity that the configuration asks for.</summary>
    public static Verbosity VerbosityOf(LoggingConfiguration configuration) => new(configuration.Verbosity, configuration.Vmodule);

    /// <summary>Makes the only logger provider.</summary>
    public static ILoggerProvider CreateProvider(LoggingConfiguration configuration, VerbositySwitch verbosity, TimeProvider time, Stream output) => new StandardErrorLoggerProvider(
        output,
        configuration.Format == "json" ? new JsonLogFormat() : new KlogFormat(Environment.ProcessId),
        verbosity,
        time);

    /// <summary>Adds logging with that provider; the provider itself decides about levels.</summary>
    public static IServiceCollection AddProxyLogging(this IServiceCollection services, ILoggerProvider provider) => services.AddLogging(logging =>
    {
        logging.ClearProviders();
        logging.SetMinimumLevel(LogLevel.Trace);
        logging.AddFilter("Microsoft", LogLevel.Warning);
        logging.AddProvider(provider);
    });
}
