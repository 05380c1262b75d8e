using System.Globalization;
using KubeProxy.Core.Model;
using KubeProxy.Host.Configuration;

namespace KubeProxy.Host.CommandLine;

/// <summary>Makes <see cref="Flag"/>s by the type of their value.</summary>
internal static class FlagValues
{
    public static Flag Text(string name, string defaultText, string help, Action<KubeProxyConfiguration, string> set) => new(name, defaultText, help)
    {
        Apply = (configuration, value) =>
        {
            set(configuration, value);
            return null;
        },
    };

    public static Flag Switch(string name, bool defaultValue, string help, Action<KubeProxyConfiguration, bool> set) =>
        new(name, defaultValue ? "true" : "false", help)
        {
            IsSwitch = true,
            Apply = (configuration, value) =>
            {
                if (ParseBoolean(value) is not { } parsed) return "expected true or false";
                set(configuration, parsed);
                return null;
            },
        };

    public static Flag Integer(string name, string defaultText, string help, Action<KubeProxyConfiguration, int> set) => new(name, defaultText, help)
    {
        Apply = (configuration, value) =>
        {
            if (!int.TryParse(value, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var parsed)) return "expected a whole number";
            set(configuration, parsed);
            return null;
        },
    };

    public static Flag Duration(string name, string defaultText, string help, Action<KubeProxyConfiguration, GoDuration> set) => new(name, defaultText, help)
    {
        Apply = (configuration, value) =>
        {
            if (!GoDuration.TryParse(value, out var parsed)) return "expected a duration such as 30s or 1m30s";
            set(configuration, parsed);
            return null;
        },
    };

    /// <summary>An IP address; an empty value changes nothing, as upstream.</summary>
    public static Flag Address(string name, string defaultText, string help, Action<KubeProxyConfiguration, string> set) => new(name, defaultText, help)
    {
        Apply = (configuration, value) =>
        {
            if (value.Length == 0) return null;
            if (!IpAddr.TryParse(value, out _)) return "expected an IP address";
            set(configuration, value);
            return null;
        },
    };

    /// <summary>
    /// An IP address with or without a port, which another flag may have; an empty value changes nothing, as upstream.
    /// </summary>
    public static Flag AddressAndPort(string name, string defaultText, string help, int port, Action<KubeProxyConfiguration, string> set) =>
        new(name, defaultText, help)
        {
            Apply = (configuration, value) =>
            {
                if (value.Length == 0) return null;
                if (HostPort.Refuse(ConfigurationDefaults.WithPort(value, value, port)) is { } reason) return reason;
                set(configuration, value);
                return null;
            },
        };

    /// <summary>A list separated by commas; giving the flag again adds to it.</summary>
    /// <param name="name">The name.</param>
    /// <param name="help">What it does.</param>
    /// <param name="list">Where it goes.</param>
    /// <param name="mayBeEmpty">Whether no entry at all is good for something: not where it would mean "all".</param>
    public static Flag List(string name, string help, Func<KubeProxyConfiguration, List<string>> list, bool mayBeEmpty = true) => new(name, "[]", help)
    {
        Apply = (configuration, value) =>
        {
            if (value.Length > 0) list(configuration).AddRange(value.Split(','));
            return value.Length > 0 || mayBeEmpty ? null : "must not be empty; leave the flag out instead";
        },
    };

    /// <summary>What Go's flag packages take for a boolean.</summary>
    public static bool? ParseBoolean(string text) => text switch
    {
        "1" or "t" or "T" or "true" or "TRUE" or "True" => true,
        "0" or "f" or "F" or "false" or "FALSE" or "False" => false,
        _ => null,
    };
}
