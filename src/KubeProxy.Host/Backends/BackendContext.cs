using System.Diagnostics.Metrics;
using KubeProxy.Core.Model;
using KubeProxy.Core.Planning;
using KubeProxy.Host.Configuration;
using KubeProxy.Netfilter.Backends.Ruleset;
using Microsoft.Extensions.Logging;

namespace KubeProxy.Host.Backends;

/// <summary>What a backend is made of.</summary>
/// <param name="Configuration">The configuration in force.</param>
/// <param name="Family">The family that it is to program.</param>
/// <param name="Masquerade">Which connections get the node's address.</param>
/// <param name="Loggers">Makes its loggers.</param>
/// <param name="Meters">Makes its meters.</param>
/// <param name="Time">The clock.</param>
/// <param name="Nftables">The connection that all families share; opened when first asked for.</param>
internal sealed record BackendContext(
    EffectiveConfiguration Configuration, IpFamily Family, MasqueradePolicy Masquerade, ILoggerFactory Loggers, IMeterFactory Meters, TimeProvider Time,
    Func<NftablesConnection> Nftables);
