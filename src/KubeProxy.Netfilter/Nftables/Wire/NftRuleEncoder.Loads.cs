using KubeProxy.Netfilter.Nftables.Rules;

namespace KubeProxy.Netfilter.Nftables.Wire;

/// <summary>Expressions into registers.</summary>
internal sealed partial class NftRuleEncoder
{
    /// <summary>Puts the value of an expression into the registers from <paramref name="slot"/> on.</summary>
    private void Load(NftExpression expression, int slot)
    {
        switch (expression)
        {
            case NftPayload or NftExtension: LoadField(expression, slot); break;
            case NftRawPayload raw: _expressions.Payload(slot, raw.Base, raw.BitOffset / 8, raw.BitLength / 8); break;
            case NftMeta meta: _expressions.Meta(slot, meta.Key); break;
            case NftCt ct: _expressions.Ct(slot, ct); break;
            case NftRt rt: _expressions.Rt(slot, rt.Key); break;
            case NftSocket socket: _expressions.Socket(slot, socket); break;
            case NftOsf osf: _expressions.Osf(slot, osf); break;
            case NftIpsec ipsec: _expressions.Xfrm(slot, ipsec); break;
            case NftJhash hash: Jhash(hash, slot); break;
            case NftSymhash hash: _expressions.Symhash(slot, hash); break;
            case NftFib fib: _expressions.Fib(slot, fib); break;
            case NftNumgen numgen: _expressions.Numgen(slot, numgen); break;
            case NftConstant constant: _expressions.Immediate(slot, constant.Value.Span); break;
            case NftConcat concat: LoadParts(concat, slot); break;
            case NftMapLookup lookup:
                Load(lookup.Key, slot);
                _expressions.Lookup(slot, new NftSetReference(lookup.Map), NftRegister.Number(slot), inverted: false);
                break;
            case NftAnonymousMapLookup lookup:
                LoadKey(lookup.Key, slot);
                _expressions.Lookup(slot, anonymous.Dequeue(), NftRegister.Number(slot), inverted: false);
                break;
            case NftBitwise bitwise:
                Load(bitwise.Value, slot);
                _expressions.Bitwise(slot, bitwise.Mask, bitwise.Xor);
                break;
            case NftShift shift:
                Load(shift.Value, slot);
                _expressions.Shift(slot, shift.Value.FormatsOf() is [var format] ? format.Bytes : 4, shift.IsLeft, shift.Bits);
                break;
            case NftNetworkOrder order:
                Load(order.Value, slot);
                Swap(order.Value, slot);
                break;
            default:
                throw new ArgumentException($"{expression} cannot be encoded.", nameof(expression));
        }
    }

    private void LoadField(NftExpression expression, int slot)
    {
        LoadBytes(expression, slot);
        if (NftPartialLoads.Of(expression) is not { } part) return;
        _expressions.Bitwise(slot, part.Mask, new NftData(new byte[part.Bytes]));
        if (part.Below > 0) _expressions.Shift(slot, part.Bytes, isLeft: false, (uint)part.Below);
    }

    /// <summary>The bytes that hold a field, and its neighbours where it does not fill them.</summary>
    private void LoadBytes(NftExpression expression, int slot)
    {
        if (expression is NftPayload { Field: var field }) _expressions.Payload(slot, field.Base, field.ByteOffset, field.ByteLength);
        else if (expression is NftExtension extension) _expressions.Exthdr(slot, extension, NftPartialLoads.BytesOf(extension));
    }

    /// <summary>The key of an anonymous set: of fields of less than whole bytes the elements are shifted, and not the key.</summary>
    private void LoadKey(NftExpression key, int slot = 0)
    {
        if (NftPartialLoads.Of(key) is not { } part)
        {
            Load(key, slot);
            return;
        }

        LoadBytes(key, slot);
        _expressions.Bitwise(slot, part.Mask, new NftData(new byte[part.Bytes]));
    }

    // As nft does it: what is hashed has a register of its own.
    private void Jhash(NftJhash hash, int slot)
    {
        var source = NftRegister.NextLong(slot);
        Load(hash.Value, source);
        _expressions.Jhash(slot, source, NftExpressionTypes.LengthOf(hash.Value) ?? 4, hash);
    }

    private void LoadParts(NftConcat concat, int slot)
    {
        foreach (var part in concat.Parts)
        {
            Load(part, slot);
            slot += NftRegister.SlotsOf(LoadedLength(part));
        }
    }

    /// <summary>How many bytes a part takes up in registers.</summary>
    private static int LoadedLength(NftExpression part) => NftPartialLoads.Of(part)?.Bytes ?? part.FormatsOf()[0].Bytes;

    private void Nat(NftNat nat)
    {
        int? address = null, addressTo = null, port = null, portTo = null;
        var slot = 0;
        if (nat.Address is { } first)
        {
            address = 0;
            Load(first, 0);
            var slots = nat.Family == NftFamily.Ip6 ? 4 : 1;
            // The data of a map stand side by side; constants have a 16-byte register each.
            slot = first is NftMapLookup or NftAnonymousMapLookup ? slots : 4;
            if (nat.MapParts.HasFlag(NftNatMapParts.Port)) port = slot++;
            if (nat.MapParts.HasFlag(NftNatMapParts.AddressTo)) (addressTo, slot) = (slot, slot + slots);
            if (nat.MapParts.HasFlag(NftNatMapParts.PortTo)) portTo = slot++;
        }

        if (nat.AddressTo is not null) addressTo = LoadNext(nat.AddressTo, ref slot);
        if (nat.Port is not null) port = LoadNext(nat.Port, ref slot);
        if (nat.PortTo is not null) portTo = LoadNext(nat.PortTo, ref slot);
        _expressions.Nat(nat, address, addressTo, port, portTo);
    }

    /// <summary>Loads the next 16-byte register.</summary>
    private int LoadNext(NftExpression expression, ref int slot)
    {
        var taken = slot;
        Load(expression, taken);
        slot += 4;
        return taken;
    }

    private void Tproxy(NftTproxy tproxy)
    {
        int? address = null, port = null;
        if (tproxy.Address is { } constant)
        {
            address = 0;
            Load(constant, 0);
        }

        if (tproxy.Port is { } number)
        {
            port = address is null ? 0 : 4;
            _expressions.Immediate(port.Value, NftValue.Port(number).Span);
        }

        var of = tproxy.Family ?? (tproxy.Address is { } given ? given.Type == NftDataType.Ipv6Addr ? NftFamily.Ip6 : NftFamily.Ip : null);
        _expressions.Tproxy(of, address, port);
    }

    private void Queue(NftQueue queue)
    {
        if (queue.Number is { } number) Load(number, 0);
        _expressions.Queue(queue);
    }

    private void Dup(NftDup dup)
    {
        if (dup.Address is { } address) Load(address, 0);
        var slot = dup.Address is null ? 0 : 4;
        if (dup.Device is { } device) Load(device, slot);
        _expressions.Dup(dup.Address is null ? null : 0, dup.Device is null ? null : slot);
    }

    private void Forward(NftForward forward)
    {
        Load(forward.Device, 0);
        if (forward.Address is { } address) Load(address, 4);
        _expressions.Forward(0, forward.Address is null ? null : 4, forward.Family);
    }
}
