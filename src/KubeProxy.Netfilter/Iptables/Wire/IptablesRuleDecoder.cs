using System.Buffers.Binary;
using System.Collections.Immutable;
using System.Runtime.InteropServices;
using System.Text;
using KubeProxy.Core.Model;
using KubeProxy.Netfilter.Nftables;
using KubeProxy.Netfilter.Nftables.Rules;

namespace KubeProxy.Netfilter.Iptables.Wire;

/// <summary>Raises what iptables-nft (or this library) wrote to rules. Never fails: what it does not know is kept as it is.</summary>
internal sealed class IptablesRuleDecoder(IpFamily family)
{
    private readonly ImmutableArray<IptablesMatch>.Builder _matches = ImmutableArray.CreateBuilder<IptablesMatch>();
    private AddressMatch? _source;
    private AddressMatch? _destination;
    private InterfaceMatch? _input;
    private InterfaceMatch? _output;
    private ProtocolMatch? _protocol;
    private IptablesTarget? _target;

    /// <summary>Reads a rule. Not thread-safe: one decoder, one rule at a time.</summary>
    public IptablesRule Decode(NftRule rule)
    {
        (_source, _destination, _input, _output, _protocol, _target) = (null, null, null, null, null, null);
        _matches.Clear();
        foreach (var statement in rule.Statements)
        {
            // The header comes first; what looks like it later on is something else.
            if (_target is not null || !(TryHeader(statement) || TryTarget(statement) || statement is NftCounter)) AddMatch(statement);
        }

        return new IptablesRule
        {
            Source = _source,
            Destination = _destination,
            InputInterface = _input,
            OutputInterface = _output,
            Protocol = _protocol,
            Matches = _matches.DrainToImmutable(),
            Target = _target,
        };
    }

    private bool TryHeader(NftStatement statement) => _matches.Count == 0 && statement switch
    {
        NftMatch { Operator: > NftOperator.NotEqual } => false,
        NftMatch { Left: NftMeta { Key: NftMetaKey.Iifname } } match => Once(ref _input, Interface(match)),
        NftMatch { Left: NftMeta { Key: NftMetaKey.Oifname } } match => Once(ref _output, Interface(match)),
        NftPrefixMatch { Left: NftMeta { Key: NftMetaKey.Iifname } } match => Once(ref _input, Interface(match)),
        NftPrefixMatch { Left: NftMeta { Key: NftMetaKey.Oifname } } match => Once(ref _output, Interface(match)),
        NftMatch { Left: NftMeta { Key: NftMetaKey.L4proto } } match => Once(ref _protocol, ReadProtocol(match)),
        NftMatch { Left: NftPayload { Field: var field } } match when IsSource(field) => Once(ref _source, Address(match)),
        NftMatch { Left: NftPayload { Field: var field } } match when IsDestination(field) => Once(ref _destination, Address(match)),
        NftPrefixMatch { Left: NftPayload { Field: var field } } match when IsSource(field) => Once(ref _source, Address(match)),
        NftPrefixMatch { Left: NftPayload { Field: var field } } match when IsDestination(field) => Once(ref _destination, Address(match)),
        _ => false,
    };

    private static bool IsSource(NftField field) => field == NftField.IpSaddr || field == NftField.Ip6Saddr;

    private static bool IsDestination(NftField field) => field == NftField.IpDaddr || field == NftField.Ip6Daddr;

    private bool TryTarget(NftStatement statement)
    {
        _target = statement switch
        {
            NftVerdictStatement verdict => new VerdictTarget(verdict.Verdict),
            NftOpaque { Name: XtExtension.Target } opaque => XtTargets.Read(opaque, family),
            _ => null,
        };
        return _target is not null;
    }

    private void AddMatch(NftStatement statement)
    {
        switch (statement)
        {
            case NftMatch { Operator: > NftOperator.NotEqual }: _matches.Add(new UnknownMatch(statement)); break;
            case NftOpaque opaque: _matches.Add(XtMatchDecoder.Read(opaque, _protocol, family)); break;
            case NftMatch { Left: NftPayload { Field: { Name: "sport", Type: NftDataType.InetService } } } match when HasPorts: AddPorts(new PortMatch(Port(match), null)); break;
            case NftMatch { Left: NftPayload { Field: { Name: "dport", Type: NftDataType.InetService } } } match when HasPorts: AddPorts(new PortMatch(null, Port(match))); break;
            case NftMatch { Left: NftBitwise { Value: NftMeta { Key: NftMetaKey.Mark }, Numbers: { Xor: 0 } numbers } } match:
                _matches.Add(new MarkMatch(Number(match.Right), numbers.Mask, IsNegated(match.Operator)));
                break;
            case NftMatch { Left: NftMeta { Key: NftMetaKey.Mark } } match:
                _matches.Add(new MarkMatch(Number(match.Right), uint.MaxValue, IsNegated(match.Operator)));
                break;
            case NftBitsMatch { Left: NftMeta { Key: NftMetaKey.Mark } } match: _matches.Add(new MarkMatch(0, match.Bits, !match.None)); break;
            default: _matches.Add(new UnknownMatch(statement)); break;
        }
    }

    private bool HasPorts => _protocol is { Negated: false, Protocol: Protocol.Tcp or Protocol.Udp };

    // Source and destination port of one extension are two comparisons.
    private void AddPorts(PortMatch ports)
    {
        if (_matches is [.., PortMatch { Source: not null, Destination: null } before] && ports.Destination is not null)
            _matches[^1] = before with { Destination = ports.Destination };
        else
            _matches.Add(ports);
    }

    private static bool Once<T>(ref T? slot, T? value) where T : class
    {
        if (slot is not null || value is null) return false;
        slot = value;
        return true;
    }

    private static bool IsNegated(NftOperator @operator) => @operator == NftOperator.NotEqual;

    private static AddressMatch Address(NftMatch match)
    {
        var address = IpAddr.FromBytes(match.Right.Value.Span);
        return new AddressMatch(Cidr.Single(address), IsNegated(match.Operator));
    }

    private AddressMatch? Address(NftPrefixMatch match)
    {
        var address = IpAddr.FromBytes(match.Prefix.Value.Span);
        // A mapped IPv4 address would change its family.
        return address.Family == family ? new AddressMatch(new Cidr(address, match.PrefixBits), IsNegated(match.Operator)) : null;
    }

    private static InterfaceMatch? Interface(NftMatch match) =>
        XtText.Read(match.Right.Value.Span) is { } name ? new InterfaceMatch(name, IsNegated(match.Operator)) : null;

    private static InterfaceMatch? Interface(NftPrefixMatch match)
    {
        var bytes = match.Prefix.Value.Span[..(match.PrefixBits / 8)];
        return bytes.Contains((byte)0) ? null : new InterfaceMatch(Encoding.UTF8.GetString(bytes) + "+", IsNegated(match.Operator));
    }

    private static ProtocolMatch ReadProtocol(NftMatch match) => new((Protocol)match.Right.Value.Span[0], IsNegated(match.Operator));

    private static PortRange Port(NftMatch match)
    {
        var port = BinaryPrimitives.ReadUInt16BigEndian(match.Right.Value.Span);
        return new PortRange(port, port, IsNegated(match.Operator));
    }

    private static uint Number(NftConstant constant) => MemoryMarshal.Read<uint>(constant.Value.Span);
}
