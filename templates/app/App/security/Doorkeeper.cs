using System.Threading.Tasks;
using Altinn.App.Platform;
using Microsoft.AspNetCore.Http;

namespace Altinn.App.Security
{
    /// <summary>Lets a request at the instance that its path names, when the caller may do to it what it asks for.</summary>
    public class Doorkeeper
    {
        private readonly Callers callers;
        private readonly DecisionClient decisions;
        private readonly StorageClient storage;
        private readonly AppFiles files;

        public Doorkeeper(Callers callers, DecisionClient decisions, StorageClient storage, AppFiles files)
        {
            this.files = files;
            this.callers = callers;
            this.decisions = decisions;
            this.storage = storage;
        }

        public async Task<(Caller Caller, InstanceId Id)> Open(HttpContext context, string action)
        {
            Caller caller = await callers.Demand(context);
            var id = new InstanceId(context.Number("party"), context.Guid("guid"));

            // Authorization itself looks up in which task the instance is.
            await decisions.Demand(caller, action, id.Party, id);
            return (caller, id);
        }

        /// <summary>The same, with the instance. One of another app is not here.</summary>
        public async Task<(Caller Caller, Instance Instance)> Instance(HttpContext context, string action)
        {
            var (caller, id) = await Open(context, action);
            Instance instance = await storage.Get(caller, id);
            return instance.AppId == ApplicationMetadata.Read(files).Id
                ? (caller, instance)
                : throw Fault.NotFound($"Instance {id} is not one of this app.");
        }
    }
}
