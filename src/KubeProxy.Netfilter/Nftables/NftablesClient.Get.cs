using KubeProxy.Netfilter.Nftables.Text;
using KubeProxy.Netfilter.Nftables.Wire;
using KubeProxy.Netlink;

namespace KubeProxy.Netfilter.Nftables;

/// <summary>Asking for elements by key.</summary>
public sealed partial class NftablesClient
{
    // The answer to each key is a datagram of its own, and all of them have to fit the receive buffer.
    private const int KeysAtATime = 2048;

    /// <inheritdoc/>
    public async Task<uint> GetElementsAsync(
        NftSet set, IEnumerable<IReadOnlyList<NftElement>> keys, NftElementVisitor visit, Action restart, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(set);
        ArgumentNullException.ThrowIfNull(keys);
        ArgumentNullException.ThrowIfNull(visit);
        ArgumentNullException.ThrowIfNull(restart);
        if (set.Flags.HasFlag(NftSetFlags.Interval)) throw new ArgumentException($"{set.Key.Name} is an interval set: its elements have no keys to ask for.", nameof(set));
        var operation = $"get element {NftChainText.Table(set.Key.Table)} {set.Key.Name}";
        var isAgain = false;
        return await ConsistentlyAsync(
            operation,
            async generation =>
            {
                if (isAgain) restart();
                isAgain = true;
                await GetElementsOnceAsync(operation, set, keys, visit, cancellationToken);
                return generation;
            },
            cancellationToken);
    }

    private async Task GetElementsOnceAsync(
        string operation, NftSet set, IEnumerable<IReadOnlyList<NftElement>> keys, NftElementVisitor visit, CancellationToken cancellationToken)
    {
        using var questions = new ElementQuestions(set, visit);
        foreach (var list in keys)
        {
            questions.Add(list);
            if (questions.KeyCount >= KeysAtATime) await AskAsync();
        }

        await AskAsync();
        if (questions.MayLackSet) await RequireSetAsync(operation, set, cancellationToken);

        async Task AskAsync()
        {
            IReadOnlyList<NetlinkMessageError> refusals = [];
            await ReadAsync(operation, async () => refusals = await _channel.GetManyAsync(operation, questions.Writer, questions.Read, cancellationToken));
            foreach (var refusal in refusals)
            {
                if (questions.IsMissingElement(refusal)) continue;
                var error = refusal.ToException(operation);
                throw new NftReadException(operation, refusal.Errno, error.Message, error);
            }

            questions.Clear();
        }
    }

    // Older kernels (6.1) do not say whether it is the set or the element that is not there.
    private Task RequireSetAsync(string operation, NftSet set, CancellationToken cancellationToken) => ReadAsync(operation, async () =>
    {
        using var request = Request(NftMessage.GetSet, set.Key.Table.Family);
        request.PutString(SetAttribute.Table, set.Key.Table.Name);
        request.PutString(SetAttribute.Name, set.Key.Name);
        await _channel.GetAsync(operation, request, _ => { }, cancellationToken);
    });

    /// <summary>Requests for elements, one for each list of keys or for a part of a long one, and who gets what is found.</summary>
    private sealed class ElementQuestions : IDisposable
    {
        private readonly NftSet _set;
        private readonly NftElementDecoder _decoder;
        private readonly List<(int List, int Keys)> _requests = [];
        private int _listCount;
        private int _elementsAt;
        private int _list;

        // What is found of the request that is being answered, and the list that ended before its end.
        private int _request;
        private int _found;
        private int _endedList = -1;
        private bool _hasFound;
        private bool _hasUnclear;

        public ElementQuestions(NftSet set, NftElementVisitor visit)
        {
            _set = set;
            _decoder = new NftElementDecoder(set, element => visit(_list, element));
        }

        public NlMsgWriter Writer { get; } = new();

        public int KeyCount { get; private set; }

        /// <summary>Whether nothing was found, and it was not said that it is for want of the elements.</summary>
        public bool MayLackSet => !_hasFound && _hasUnclear;

        public void Add(IReadOnlyList<NftElement> keys)
        {
            for (var start = 0; start < keys.Count;)
            {
                Writer.BeginMessage(NfSubsystem.Nftables, (byte)NftMessage.GetSetElem, NlMsgFlags.None, (byte)_set.Key.Table.Family);
                Writer.PutString(ElementListAttribute.Table, _set.Key.Table.Name);
                Writer.PutString(ElementListAttribute.Set, _set.Key.Name);
                _elementsAt = Writer.MessageLength;
                var count = NftElementEncoder.WriteChunk(Writer, _set, keys, start, isDelete: true, accept: null);
                _requests.Add((_listCount, count));
                KeyCount += count;
                start += count;
            }

            _listCount++;
        }

        /// <summary>Reads one message of the answer to a request.</summary>
        public void Read(int request, NlMessage message)
        {
            if (request != _request) EndRequests(request);
            _list = _requests[request].List;
            if (_list == _endedList) return;
            _found++;
            _hasFound = true;
            _decoder.Read(message);
        }

        /// <summary>Whether nothing is refused but to find a key that is not there.</summary>
        public bool IsMissingElement(NetlinkMessageError refusal)
        {
            if (refusal.Errno != Errno.NoSuchEntry || refusal.Extended?.AttributeOffset < _elementsAt) return false;
            _hasUnclear |= refusal.Extended?.AttributeOffset is null;
            return true;
        }

        /// <summary>Forgets the requests.</summary>
        public void Clear()
        {
            EndRequests(_requests.Count);
            Writer.Reset();
            _requests.Clear();
            (KeyCount, _request, _found) = (0, 0, 0);
        }

        public void Dispose() => Writer.Dispose();

        // A request ends at the first key that is not there, and with it what follows of its list.
        private void EndRequests(int next)
        {
            for (; _request < next; (_request, _found) = (_request + 1, 0))
                if (_found < _requests[_request].Keys) _endedList = _requests[_request].List;
        }
    }
}
