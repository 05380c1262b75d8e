using System.Text;
using KubeProxy.Core.Model;

namespace KubeProxy.Netfilter.Iptables.Wire;

/// <summary>Collects the arguments of a rule, as <c>iptables-save</c> prints them.</summary>
internal sealed class IptablesArguments(IpFamily family, ProtocolMatch? protocol)
{
    private readonly StringBuilder _text = new();

    /// <summary>The family of the rule.</summary>
    public IpFamily Family => family;

    /// <summary>What the rule says of the protocol.</summary>
    public ProtocolMatch? Protocol => protocol;

    /// <summary>Adds words, with a blank before them.</summary>
    public IptablesArguments Add(string words)
    {
        if (_text.Length > 0) _text.Append(' ');
        _text.Append(words);
        return this;
    }

    /// <summary>Adds words under a condition.</summary>
    public IptablesArguments If(bool condition, string words) => condition ? Add(words) : this;

    /// <summary>Adds an exclamation mark.</summary>
    public IptablesArguments Not(bool negated) => If(negated, "!");

    /// <summary>Adds an option whose value may need quotes.</summary>
    public IptablesArguments AddQuoted(string option, string value) => Add($"{option} {Quoted(value)}");

    /// <summary>Adds an option with an address.</summary>
    public IptablesArguments Add(string option, IpAddr address) => Add($"{option} {XtAddresses.Text(address, family)}");

    /// <summary>Adds an option with a range of addresses.</summary>
    public IptablesArguments Add(string option, IpAddr first, IpAddr last) => Add($"{option} {XtAddresses.Text(first, family)}-{XtAddresses.Text(last, family)}");

    /// <summary>Adds an option with one number, or two of a range.</summary>
    public IptablesArguments AddRange(string option, bool negated, uint first, uint last, char separator = ':') =>
        Not(negated).Add(first == last ? $"{option} {first}" : $"{option} {first}{separator}{last}");

    /// <summary>The names of the bits that are set, with commas between them.</summary>
    public static string Names(ReadOnlySpan<string> names, uint bits)
    {
        var text = new StringBuilder();
        for (var i = 0; i < names.Length; i++)
            if ((bits & (1u << i)) != 0 && names[i].Length > 0)
                text.Append(text.Length == 0 ? "" : ",").Append(names[i]);
        return text.ToString();
    }

    /// <summary>A mark and its mask, which is left out when it is all ones.</summary>
    public static string Mark(uint value, uint mask) => mask == uint.MaxValue ? $"0x{value:x}" : $"0x{value:x}/0x{mask:x}";

    /// <summary>As xtables quotes: anything but letters, digits, minus and underscore needs quotes.</summary>
    public static string Quoted(string text)
    {
        if (text.Length > 0 && text.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_')) return text;
        var quoted = new StringBuilder("\"");
        foreach (var c in text)
        {
            if (c is '"' or '\\' or '\'') quoted.Append('\\');
            quoted.Append(c);
        }

        return quoted.Append('"').ToString();
    }

    /// <inheritdoc/>
    public override string ToString() => _text.ToString();
}
